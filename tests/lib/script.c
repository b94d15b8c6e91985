/* SPDX-License-Identifier: BSD-2-Clause */
/* script.c - lines of text to operations. */
#include "tests/lib/script.h"

#include <stdlib.h>
#include <string.h>

/* Arguments: p a path, w a word, n a number, o an octal one. What may be left out stands behind a dot. */
static const struct { const char *name, *args; } verbs[FSX_VERBS] = {
	[FSX_CREATE] = { "create", "po.nn" }, [FSX_MKDIR] = { "mkdir", "po.nn" }, [FSX_SYMLINK] = { "symlink", "wp" },
	[FSX_MKNOD] = { "mknod", "pwnn" }, [FSX_TMPFILE] = { "tmpfile", "po" }, [FSX_LINK] = { "link", "pp" },
	[FSX_UNLINK] = { "unlink", "p" }, [FSX_RMDIR] = { "rmdir", "p" }, [FSX_RENAME] = { "rename", "pp.w" },
	[FSX_WRITE] = { "write", "pnnn" }, [FSX_TRUNCATE] = { "truncate", "pn" }, [FSX_PUNCH] = { "punch", "pnn" },
	[FSX_COLLAPSE] = { "collapse", "pnn" }, [FSX_INSERT] = { "insert", "pnn" },
	[FSX_PREALLOC] = { "prealloc", "pnn.w" }, [FSX_ZERO] = { "zero", "pnn.w" }, [FSX_SHARE] = { "share", "pnpnn" },
	[FSX_UNSHARE] = { "unshare", "pnn" }, [FSX_SWAP] = { "swap", "pnpnn" },
	[FSX_SETATTR] = { "setattr", "pwwnn.w" },
	[FSX_REMOVEATTR] = { "removeattr", "pww" }, [FSX_CHMOD] = { "chmod", "po" }, [FSX_CHOWN] = { "chown", "pnn" },
	[FSX_SYNC] = { "sync", "" }, [FSX_QUIESCE] = { "quiesce", "" },
};

static const char *parse_args(const char *want, char *words, struct fsx_op *op)
{
	bool optional = false;
	char *end, *save = NULL;

	for (op->nargs = 0; *want; want++) {
		unsigned k = op->nargs;
		char *w;

		if (*want == '.') {
			optional = true;
			continue;
		}
		w = strtok_r(words, " ", &save);
		words = NULL;
		if (!w)
			return optional ? NULL : "too few arguments";
		op->text[k] = w;
		if (*want == 'n' || *want == 'o') {
			op->n[k] = strtoull(w, &end, *want == 'o' ? 8 : 10);
			if (*end || end == w)
				return "a number is wrong";
		}
		op->nargs++;
	}
	return strtok_r(words, " ", &save) ? "too many arguments" : NULL;
}

const char *fsx_parse(char *line, struct fsx_op *op)
{
	char *rest = line + strcspn(line, " ");

	line[strcspn(line, "\n")] = 0;
	memset(op, 0, sizeof(*op));
	if (strncmp(line, "fail ", 5) == 0) {
		char *verb;

		op->error = line + 5;
		verb = strchr(line + 5, ' ');
		if (!verb)
			return "fail: no operation";
		*verb = 0;
		line = verb + 1;
		rest = line + strcspn(line, " ");
	}
	if (*rest)
		*rest++ = 0;
	for (unsigned v = 0; v < FSX_VERBS; v++)
		if (strcmp(verbs[v].name, line) == 0) {
			op->verb = (enum fsx_verb)v;
			return parse_args(verbs[v].args, rest, op);
		}
	return "no such operation";
}

void fsx_fill(uint8_t *p, size_t len, uint64_t seed)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (size_t i = 0; i < len; i++) {
		if (i % 8 == 0) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		p[i] = (uint8_t)(x >> 8 * (i % 8));
	}
}

bool fsx_in_steps(enum fsx_verb v)
{
	return v >= FSX_WRITE && v <= FSX_SWAP;
}

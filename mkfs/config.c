/* SPDX-License-Identifier: BSD-2-Clause */
/* config.c - options from a file (-c options=FILE), read by libinih, applied after the command line. */
#include "mkfs/options.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct mkfs_options *o;
	const char *path;
	struct mkfs_error *err;
	bool failed;
};

/* Values outlive the parser: the options own a copy. */
static char *keep(struct mkfs_options *o, const char *text)
{
	char **more = realloc(o->owned, (o->nowned + 1) * sizeof(*more));

	if (!more)
		return NULL;
	o->owned = more;
	more[o->nowned] = strdup(text);
	return more[o->nowned] ? more[o->nowned++] : NULL;
}

static int one_line(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	char letter = mkfs_section_letter(section);
	struct mkfs_error why = { "", false };
	char *text;

	if (r->failed)
		return 0;
	r->failed = true;
	text = keep(r->o, value);
	if (!text) {
		mkfs_fail(r->err, false, "mkfs.xfs: out of memory");
		return 0;
	}
	if (!letter || (mkfs_option_set(r->o, letter, name, text, &why) && strncmp(why.text, "unknown option",
			14) == 0)) {
		mkfs_fail(r->err, false, "%s: invalid config file option: [%s]: %s=%s", r->path, section, name, value);
		return 0;
	}
	if (*why.text) {
		*r->err = why;
		return 0;
	}
	r->failed = false;
	return 1;
}

int mkfs_config_read(struct mkfs_options *o, const char *path, struct mkfs_error *err)
{
	struct reading r = { o, path, err, false };
	int line = ini_parse(path, one_line, &r);
	size_t used;

	if (line == 0)
		return 0;
	if (line < 0)
		return mkfs_fail(err, false, "Unable to open config file %s. Aborting.", path);
	if (err->usage)
		return -1;
	used = r.failed ? strlen(err->text) : 0;
	snprintf(err->text + used, sizeof(err->text) - used, "%s%s: Unrecognised input on line %d. Aborting.",
		 used ? "\n" : "", path, line);
	return -1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* random.c - random operations. */
#include "tests/lib/random.h"

#include <stdlib.h>
#include <string.h>

static uint32_t below(struct fsx_random *r, uint64_t n)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return (uint32_t)((r->s >> 11) % (n ? n : 1));
}

static uint64_t down(const struct fsx_random *r, uint64_t n) { return n - n % r->block; }

static const struct model_entry *some_entry(struct fsx_random *r, bool file)
{
	for (unsigned i = 0; i < 5000 && r->m->nentries; i++) {
		const struct model_entry *e = &r->m->entries[below(r, MODEL_ENTRIES)];

		if (e->used && (!file || (e->node->mode & 0170000) == 0100000))
			return e;
	}
	return NULL;
}

static void path_of(struct fsx_random *r, const struct model_entry *e, char *path)
{
	if (model_path(r->m, e, path, 1000))
		path[strlen(path) - 1] = 0;
}

/* A name that is there or not, in a directory that is. */
static void some_path(struct fsx_random *r, char *path)
{
	const struct model_entry *e;
	unsigned id = below(r, 4 * r->nodes);

	*path = 0;
	for (unsigned i = 0; i < 30 && below(r, 3); i++) {
		e = some_entry(r, false);
		if (!e)
			break;
		if (!model_is_dir(e->node))
			continue;
		if (model_path(r->m, e, path, 700))
			break;
		*path = 0;
	}
	path += strlen(path);
	path += sprintf(path, "%u", id);
	for (unsigned more = id * 37 % 101; more > 60; more--)
		*path++ = (char)('a' + more % 26);
	*path = 0;
}

static void old_path(struct fsx_random *r, char *path)
{
	const struct model_entry *e = below(r, 15) ? some_entry(r, false) : NULL;

	if (e)
		path_of(r, e, path);
	else
		some_path(r, path);
}

static uint64_t some_len(struct fsx_random *r)
{
	uint64_t len = 1 + below(r, below(r, 4) ? 5000 : 60000);

	return r->aligned ? down(r, len + r->block) : len;
}

/* ---- names ---- */

static void say_create(struct fsx_random *r, char *line)
{
	static const char *const kinds[] = { "c", "b", "p", "s" };
	char path[1100], target[1024];
	size_t len;

	some_path(r, path);
	switch (below(r, 12)) {
	case 0:
	case 1:
	case 2:
		sprintf(line, "mkdir %s 7%02o", path, (unsigned)below(r, 64));
		break;
	case 3:
	case 4:
		len = 1 + below(r, below(r, 3) ? 60 : 1023);
		for (size_t i = 0; i < len; i++)
			target[i] = (char)('A' + below(r, 50));
		target[len] = 0;
		sprintf(line, "symlink %s %s", target, path);
		break;
	case 5:
		sprintf(line, "mknod %s %s %u %u", path, kinds[below(r, 4)], 1 + (unsigned)below(r, 100),
			(unsigned)below(r, 200));
		break;
	case 6:
		sprintf(line, "tmpfile %s 600", path);
		break;
	default:
		sprintf(line, "create %s 6%02o %u %u", path, (unsigned)below(r, 64), (unsigned)below(r, 1000),
			(unsigned)below(r, 1000));
	}
}

static void say_rename(struct fsx_random *r, char *line)
{
	static const char *const how[] = { "", "", "", "", " noreplace", " exchange", " exchange", " whiteout" };
	char from[1100], to[1100];

	old_path(r, from);
	if (below(r, 2))
		old_path(r, to);
	else
		some_path(r, to);
	sprintf(line, "rename %s %s%s", from, to, how[below(r, 8)]);
}

static void say_attr(struct fsx_random *r, char *line)
{
	static const char *const spaces[] = { "user", "trusted", "security" };
	static const char *const how[] = { "", "", "", "", " create", " replace" };
	const struct model_entry *e = some_entry(r, false);
	unsigned k = below(r, MODEL_ATTRS), fmt;
	const char *space = spaces[k % 3];
	char path[1100];

	if (!e) {
		say_create(r, line);
		return;
	}
	path_of(r, e, path);
	fmt = e->node->mode & 0170000;
	if (k % 3 == 0 && fmt != 0100000 && fmt != 0040000)
		sprintf(line, "chmod %s 7%02o", path, (unsigned)below(r, 64));
	else if (below(r, 3) == 0)
		sprintf(line, "removeattr %s %s attr%u%s", path, space, k, k > 5 ? "-with-a-longer-name" : "");
	else
		sprintf(line, "setattr %s %s attr%u%s %u %u%s", path, space, k, k > 5 ? "-with-a-longer-name" : "",
			(unsigned)below(r, below(r, 10) ? 100 : below(r, 6) ? 3000 : 20000), (unsigned)r->count,
			how[below(r, 6)]);
}

static void say_name(struct fsx_random *r, char *line)
{
	char path[1100], other[1100];

	switch (below(r, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		say_create(r, line);
		break;
	case 4:
		old_path(r, path);
		some_path(r, other);
		sprintf(line, "link %s %s", path, other);
		break;
	case 5:
	case 6:
	case 7:
		old_path(r, path);
		sprintf(line, "%s %s", below(r, 5) ? "unlink" : "rmdir", path);
		break;
	case 8:
	case 9:
		say_rename(r, line);
		break;
	case 10:
		old_path(r, path);
		sprintf(line, below(r, 2) ? "chmod %s 7%02o" : "chown %s %u 7", path, (unsigned)below(r, 64));
		break;
	default:
		say_attr(r, line);
	}
	if (r->m->nnodes + 2 < r->nodes && r->m->nentries + 2 < MODEL_ENTRIES)
		return;
	old_path(r, path);
	sprintf(line, "%s %s", below(r, 3) ? "unlink" : "rmdir", path);
}

/* ---- contents ---- */

static void say_two(struct fsx_random *r, char *line, const struct model_entry *first, const char *path)
{
	/* where files are few none may be found */
	const struct model_entry *found = some_entry(r, true), *e = found ? found : first;
	const struct model_node *a = first->node, *b = e->node;
	uint64_t bs = r->block, from = down(r, below(r, a->size)), to = down(r, below(r, b->size));
	uint64_t len = below(r, 3) ? (1 + below(r, 40)) * bs : a->size - from;
	bool swap = r->swap && below(r, 3) == 0;
	char other[1100];

	path_of(r, e, other);
	if (r->aligned)
		len = down(r, len);
	if (from + len > a->size)
		len = down(r, a->size - from);
	if (swap && to + len > b->size)
		len = down(r, b->size - to);
	if (swap)
		len = down(r, len);
	if (len % bs && to + len < b->size)
		len = down(r, len);
	if (!len || to + len > r->most || (a == b && from < to + len && to < from + len))
		sprintf(line, "unshare %s %u %u", path, (unsigned)below(r, a->size), 1 + (unsigned)below(r, a->size));
	else
		sprintf(line, "%s %s %llu %s %llu %llu", swap ? "swap" : "share", path, (unsigned long long)from, other,
			(unsigned long long)to, (unsigned long long)len);
}

static void say_write(struct fsx_random *r, char *line, const struct model_node *n, const char *path)
{
	uint64_t off = below(r, below(r, 3) ? n->size : r->most), len = some_len(r);

	if (r->aligned) {
		off = down(r, n->size + r->block - 1);
		if (below(r, 3) == 0)
			off += (1 + below(r, 8)) * r->block;
	}
	if (off + len > r->most) {
		off = 0;
		if (r->aligned) {
			sprintf(line, "truncate %s %llu", path, (unsigned long long)down(r, n->size / 2));
			return;
		}
	}
	sprintf(line, "write %s %llu %llu %u", path, (unsigned long long)off, (unsigned long long)len, r->count);
}

static void say_shift(struct fsx_random *r, char *line, const struct model_node *n, const char *path)
{
	uint64_t bs = r->block, off = down(r, below(r, n->size)), len = (1 + below(r, 10)) * bs;
	bool up = below(r, 2);

	if (n->size < 4 * bs || (up ? n->size + len > r->most : off + len >= n->size))
		say_write(r, line, n, path);
	else
		sprintf(line, "%s %s %llu %llu", up ? "insert" : "collapse", path, (unsigned long long)off,
			(unsigned long long)len);
}

static void say_contents(struct fsx_random *r, char *line)
{
	static const char *const zeroing[] = { "punch %s %llu %llu", "zero %s %llu %llu", "zero %s %llu %llu keep",
					       "prealloc %s %llu %llu", "prealloc %s %llu %llu keep" };
	const struct model_entry *e = some_entry(r, true);
	uint64_t off, len = some_len(r);
	char path[1100];

	if (!e) {
		say_create(r, line);
		return;
	}
	path_of(r, e, path);
	off = below(r, below(r, 3) ? e->node->size : r->most - 70000);
	if (r->aligned)
		off = down(r, off);
	switch (below(r, 16)) {
	case 0:
		off = below(r, 4) ? e->node->size * below(r, 100) / 80 : below(r, r->most);
		if (off > r->most)
			off = r->most;
		sprintf(line, "truncate %s %llu", path, (unsigned long long)(r->aligned ? down(r, off) : off));
		break;
	case 1:
	case 2:
	case 3:
		if (off + len > r->most)
			off = 0;
		/* (the formats are those above) */
		sprintf(line, zeroing[below(r, 5)], path, (unsigned long long)off, (unsigned long long)len);
		break;
	case 4:
	case 5:
		say_shift(r, line, e->node, path);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		if (r->reflink) {
			say_two(r, line, e, path);
			break;
		}
		/* fall through */
	default:
		say_write(r, line, e->node, path);
	}
}

void fsx_random_line(struct fsx_random *r, char *line)
{
	if (!r->s)
		r->s = 1;
	r->count++;
	if (r->sync_every && r->count % r->sync_every == 0)
		strcpy(line, r->count % (2 * r->sync_every) ? "sync" : "quiesce");
	else if (below(r, 2))
		say_name(r, line);
	else
		say_contents(r, line);
}

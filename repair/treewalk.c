/* SPDX-License-Identifier: BSD-2-Clause */
/* treewalk.c - walks directories without recursion. */
#include "repair/treewalk.h"

#include "libxfs/base/grow.h"

#include <stdlib.h>
#include <string.h>

#define MOST_DEPTH 4096u

static size_t slot_of(const struct repair_treewalk *t, uint64_t ino)
{
	size_t at = (size_t)xfs_mix(&t->mix, ino) & (t->seen_room - 1);

	while (t->seen[at] && t->seen[at] != ino)
		at = (at + 1) & (t->seen_room - 1);
	return at;
}

static int grow_seen(struct repair_treewalk *t)
{
	size_t old_room = t->seen_room;
	uint64_t *old = t->seen;

	t->seen_room = old_room ? 2 * old_room : 256;
	t->seen = calloc(t->seen_room, sizeof(*t->seen));
	if (!t->seen) {
		t->seen = old;
		t->seen_room = old_room;
		return -XFS_E_NOMEM;
	}
	xfs_mix_init(&t->mix);
	for (size_t i = 0; i < old_room; i++)
		if (old[i])
			t->seen[slot_of(t, old[i])] = old[i];
	free(old);
	return 0;
}

bool repair_treewalk_saw(const struct repair_treewalk *t, uint64_t ino)
{
	return t->seen_room && ino && t->seen[slot_of(t, ino)] == ino;
}

static int add_dir(struct repair_treewalk *t, uint64_t ino, size_t parent, const void *name, unsigned namelen)
{
	unsigned depth = t->ndirs && parent < t->ndirs && namelen ? t->dirs[parent].depth + 1 : 0;

	if (!ino || repair_treewalk_saw(t, ino) || depth > MOST_DEPTH)
		return 0;
	if (4 * t->nseen >= 3 * t->seen_room && grow_seen(t))
		return -XFS_E_NOMEM;
	if (xfs_grow(&t->dirs, t->ndirs, &t->dirs_room, 64))
		return -XFS_E_NOMEM;
	if (xfs_grow_to(&t->names, &t->names_room, t->nnames + namelen, 1))
		return -XFS_E_NOMEM;
	if (namelen)
		memcpy(t->names + t->nnames, name, namelen);
	t->dirs[t->ndirs] = (struct repair_tree_dir){ ino, namelen ? parent : t->ndirs, t->nnames, namelen, depth };
	t->ndirs++;
	t->nnames += namelen;
	t->seen[slot_of(t, ino)] = ino;
	t->nseen++;
	return 0;
}

static int one_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct repair_treewalk *t = payload;

	if (e->name[0] == '.' && (e->namelen == 1 || (e->namelen == 2 && e->name[1] == '.')))
		return 0;
	t->error = t->entry(t, t->current, e);
	/* the type may be missing or wrong: what is no directory is found out when it is opened */
	if (!t->error && (e->ftype == XFS_DIR_FT_DIR || e->ftype == XFS_DIR_FT_UNKNOWN))
		t->error = add_dir(t, e->ino.v, t->current, e->name, e->namelen);
	return t->error;
}

static int read_dir(struct repair_treewalk *t, struct xfs_inode *ip)
{
	struct xfs_dir d;
	bool skip = false;
	int error = xfs_inode_read(t->fs, XFS_INO(t->dirs[t->current].ino), 0, ip);

	if (error == -XFS_E_NOMEM)
		return error;
	if ((error && error != -XFS_E_BADCRC) || !xfs_inode_is_dir(ip))
		return 0;
	error = t->enter ? t->enter(t, t->current, ip, &skip) : 0;
	if (error || skip)
		return error;
	error = xfs_dir_open(&d, ip, NULL);
	if (!error)
		error = xfs_dir_each(&d, 0, one_entry, t);
	return t->error ? t->error : error == -XFS_E_NOMEM ? error : 0;
}

int repair_treewalk_run(struct repair_treewalk *t, uint64_t root)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	size_t first = t->ndirs;
	int error = ip ? add_dir(t, root, t->ndirs, NULL, 0) : -XFS_E_NOMEM;

	t->error = 0;
	for (t->current = first; !error && t->current < t->ndirs; t->current++)
		error = read_dir(t, ip);
	free(ip);
	return error;
}

int repair_treewalk_path(const struct repair_treewalk *t, size_t dir, const void *name, size_t namelen, char *out,
			 size_t room)
{
	size_t at = room;

	if (!room)
		return -XFS_E_RANGE;
	out[--at] = '\0';
	if (namelen) {
		if (at < namelen + 1)
			return -XFS_E_RANGE;
		at -= namelen;
		memcpy(out + at, name, namelen);
		out[--at] = '/';
	}
	for (size_t i = dir; t->dirs[i].namelen; i = t->dirs[i].parent) {
		if (at < (size_t)t->dirs[i].namelen + 1)
			return -XFS_E_RANGE;
		at -= t->dirs[i].namelen;
		memcpy(out + at, t->names + t->dirs[i].name, t->dirs[i].namelen);
		out[--at] = '/';
	}
	if (at == room - 1) {
		if (!at)
			return -XFS_E_RANGE;
		out[--at] = '/';
	}
	memmove(out, out + at, room - at);
	return 0;
}

void repair_treewalk_release(struct repair_treewalk *t)
{
	free(t->dirs);
	free(t->names);
	free(t->seen);
	memset(t, 0, sizeof(*t));
}

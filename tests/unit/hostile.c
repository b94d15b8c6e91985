/* SPDX-License-Identifier: BSD-2-Clause */
/* hostile.c - reads everything that a filesystem holds. */
#include "tests/unit/hostile.h"

#include "libxfs/inode/scan.h"
#include "libxfs/inode/symlink.h"
#include "libxfs/log/state.h"
#include "libxfs/name/path.h"
#include "libxfs/name/verify.h"

#include <stdlib.h>

struct reading {
	struct xfs_fs *fs;
	const struct xfs_sink *sink;
	struct everything *out;
	struct xfs_inode ip;
};

/* Every byte that is handed out must be there. */
static void touch(struct reading *r, const uint8_t *p, size_t len)
{
	while (len--)
		r->out->touched += *p++;
}

static int count_record(void *payload, const void *rec)
{
	struct reading *r = payload;

	(void)rec;
	/* a bound, so that a loop shows as a failure and not as a hang */
	return ++r->out->records > 200000 ? -XFS_E_STOP : 0;
}

static int count_extent(void *payload, const struct xfs_extent *e)
{
	struct reading *r = payload;

	(void)e;
	r->out->extents++;
	return 0;
}

static int count_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct reading *r = payload;

	touch(r, e->name, e->namelen);
	r->out->entries++;
	return 0;
}

struct attr_reading {
	struct reading *r;
	struct xfs_attrs *a;
	uint8_t *value;
};

static int count_attr(void *payload, const struct xfs_attr *attr)
{
	struct attr_reading *ar = payload;

	touch(ar->r, attr->name, attr->namelen);
	ar->r->out->attributes++;
	if (xfs_attr_value(ar->a, attr, ar->value))
		ar->r->out->errors++;
	return 0;
}

static void read_fork(struct reading *r, enum xfs_fork which)
{
	uint8_t piece[5000];
	struct xfs_extent last;
	struct xfs_ifork f;
	size_t got;
	int err = xfs_ifork_init(&f, &r->ip, which);

	if (err == -XFS_E_NOENT)
		return;
	f.sink = r->sink;
	if (!err)
		err = xfs_ifork_each(&f, count_extent, r);
	if (!err)
		xfs_ifork_last(&f, &last);
	if (!err && which == XFS_FORK_DATA) {
		err = xfs_ifork_read(&f, 0, piece, sizeof(piece), &got);
		if (!err)
			err = xfs_ifork_read(&f, r->ip.d.core.size / 2, piece, sizeof(piece), &got);
	}
	r->out->errors += err != 0;
}

static void read_names(struct reading *r)
{
	struct attr_reading ar = { .r = r };
	char target[XFS_SYMLINK_MAXLEN];
	struct xfs_attrs a;
	struct xfs_dir d;
	xfs_ino_t ino;
	size_t len;
	int err;

	if (xfs_inode_is_dir(&r->ip)) {
		err = xfs_dir_open(&d, &r->ip, r->sink);
		if (!err) {
			err = xfs_dir_each(&d, 0, count_entry, r);
			xfs_dir_lookup(&d, "00000000-aaaaaaaaaaaaaaaaaaaaa", 30, &ino, NULL, NULL);
			xfs_dir_lookup(&d, "..", 2, &ino, NULL, NULL);
		}
		r->out->errors += err != 0;
		xfs_dir_verify(&r->ip, XFS_NULL64, r->sink);
	}
	if (xfs_inode_fmt(&r->ip) == XFS_MODE_LNK && !xfs_symlink_target(&r->ip, target, &len, r->sink))
		r->out->targets++;
	err = xfs_attrs_open(&a, &r->ip, r->sink);
	ar.a = &a;
	ar.value = malloc(XFS_ATTR_VALUE_MAX);
	if (!err)
		err = xfs_attrs_each(&a, count_attr, &ar);
	if (!err)
		xfs_attr_get(&a, 0, "name", 4, ar.value, 100, &len);
	free(ar.value);
	r->out->errors += err != 0;
	xfs_attrs_verify(&r->ip, r->sink);
}

static int one_inode(void *payload, const struct xfs_inode_seen *s)
{
	struct reading *r = payload;
	int err;

	if (!s->raw)
		return 0;
	err = xfs_inode_parse(r->fs, s->ino, s->raw, &r->ip);
	r->out->errors += err != 0;
	r->out->inodes++;
	xfs_inode_verify(&r->ip, r->sink);
	/* a broken inode is used all the same: nothing behind it may rely on its being whole */
	read_fork(r, XFS_FORK_DATA);
	read_fork(r, XFS_FORK_ATTR);
	read_names(r);
	return 0;
}

static void read_ag(struct reading *r, xfs_agno_t agno)
{
	uint32_t *slots = malloc(r->fs->geo.agfl_size * sizeof(*slots)), n;
	struct xfs_btree bt;

	r->out->errors += xfs_fs_agfl_blocks(r->fs, agno, slots, &n) != 0;
	for (int id = XFS_BTREE_BNO; id <= XFS_BTREE_REFC; id++) {
		struct xfs_btree_verify v = { .sink = r->sink };

		r->out->records = 0;
		if (xfs_fs_ag_btree(r->fs, agno, id, &bt) || xfs_btree_query_all(&bt, count_record, r) ||
		    xfs_btree_verify(&bt, &v))
			r->out->errors++;
	}
	r->out->errors += xfs_inodes_each(r->fs, agno, XFS_SCAN_FREE, one_inode, r, r->sink) != 0;
	free(slots);
}

void read_everything(struct xfs_fs *fs, const struct xfs_sink *sink, struct everything *out)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct xfs_log_state log;
	char path[4096];
	xfs_ino_t ino;

	memset(out, 0, sizeof(*out));
	r->fs = fs;
	r->sink = sink;
	r->out = out;
	xfs_log_state(fs, &log);
	for (uint32_t ag = 0; ag < fs->geo.agcount; ag++)
		read_ag(r, XFS_AGNO(ag));
	if (!xfs_path_lookup(fs, XFS_INO(fs->geo.sb.rootino), "directories/node", &ino))
		xfs_path_of(fs, ino, path, sizeof(path));
	free(r);
}

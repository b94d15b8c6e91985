/* SPDX-License-Identifier: BSD-2-Clause */
/* settle.c - the end of a replay: counters, log features, an unmount record (format sheet 04, section 11). */
#include "libxfs/base/crc32c.h"
#include "libxfs/log/close.h"
#include "libxfs/recovery/replay.h"

#include <stdlib.h>

struct totals {
	uint64_t icount, ifree, fdblocks;
	bool unlinked;
};

static int add_up(struct xfs_fs *fs, struct totals *t)
{
	for (uint32_t ag = 0; ag < fs->geo.agcount; ag++) {
		uint32_t buckets[XFS_AGI_BUCKETS];
		struct xfs_agf f;
		struct xfs_agi i;
		int err = xfs_fs_agf(fs, XFS_AGNO(ag), &f);

		if (!err)
			err = xfs_fs_agi(fs, XFS_AGNO(ag), &i, buckets);
		if (err)
			return err;
		t->icount += i.count;
		t->ifree += i.freecount;
		t->fdblocks += (uint64_t)f.freeblks + f.flcount + f.btreeblks;
		for (unsigned b = 0; b < XFS_AGI_BUCKETS; b++)
			t->unlinked |= buckets[b] != XFS_NULL32;
	}
	return t->ifree <= t->icount && t->fdblocks <= fs->geo.dblocks ? 0 : -XFS_E_CORRUPT;
}

static int write_sb(struct xfs_fs *fs, const struct totals *t, bool quota_stale)
{
	uint32_t size = fs->geo.sectsize;
	uint8_t *p = malloc(size);
	struct xfs_sb sb;
	int err = p ? xfs_dev_read(fs->dev.data, 0, p, size) : -XFS_E_NOMEM;

	if (!err) {
		xfs_sb_decode(&sb, p);
		if (fs->geo.v5 || fs->geo.lazycount) {
			sb.icount = t->icount;
			sb.ifree = t->ifree;
			sb.fdblocks = t->fdblocks;
		}
		sb.features_log_incompat = 0;
		if (quota_stale)
			sb.qflags &= (uint16_t)~XFS_SB_QUOTA_CHECKED;
		xfs_sb_encode(p, &sb);
		if (fs->geo.v5)
			xfs_crc32c_store(p, size, XFS_SB_CRC_OFF);
		err = xfs_dev_write(fs->dev.data, 0, p, size);
	}
	free(p);
	return err ? err : xfs_dev_barrier(fs->dev.data);
}

int xfs_recovery_settle(const struct xfs_devset *dev, const struct xfs_recovery *r, const struct xfs_sink *sink)
{
	struct totals t = { .icount = 0 };
	struct xfs_fs *fs;
	int err;

	if (r->nintents)
		return -XFS_E_DIRTYLOG;
	err = xfs_fs_open(&fs, dev, NULL, sink);
	if (err)
		return err;
	err = add_up(fs, &t);
	if (!err && t.unlinked)
		err = -XFS_E_DIRTYLOG;
	if (!err)
		err = write_sb(fs, &t, r->quota_stale);
	if (!err)
		err = xfs_log_close(fs, &r->log);
	xfs_fs_close(fs);
	return err;
}

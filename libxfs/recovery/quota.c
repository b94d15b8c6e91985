/* SPDX-License-Identifier: BSD-2-Clause */
/* quota.c - replays dquots (format sheet 04, section 9.4). */
#include "libxfs/recovery/private.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/dquot.h"

/* The bits of sb_qflags are those of quotaoff items, too. */
bool replay_quota_is_on(const struct replay *rp, unsigned type)
{
	unsigned bit = type == XFS_DQTYPE_USER ? XFS_SB_QUOTA_USER
		       : type == XFS_DQTYPE_PROJ ? XFS_SB_QUOTA_PROJECT : XFS_SB_QUOTA_GROUP;

	return (rp->geo.sb.qflags & bit) && !(rp->quota_off & bit);
}

int replay_dquot(struct replay *rp, const struct xfs_log_item *it)
{
	uint32_t size = rp->geo.v5 ? sizeof(struct xfs_dquot_disk) : sizeof(struct xfs_disk_dquot_disk);
	struct xfs_log_dquot_item q;
	struct xfs_disk_dquot d;
	struct touched *t;
	uint64_t lsn;
	uint8_t *p;
	int err;

	xfs_log_dquot_load(&q, it);
	xfs_disk_dquot_decode(&d, q.dquot);
	if (d.magic != XFS_DQUOT_MAGIC || d.version != XFS_DQUOT_VERSION || d.id != q.f.id)
		return replay_bad(rp, "dquot", q.f.id, "it is not valid");
	if (!replay_quota_is_on(rp, d.type & (XFS_DQTYPE_USER | XFS_DQTYPE_PROJ | XFS_DQTYPE_GROUP))) {
		rp->out->counts.dquots_off++;
		return 0;
	}
	/* the length counts filesystem blocks, and a quota file is read by single ones */
	if (q.f.blkno > UINT64_MAX >> (XFS_BBSHIFT + 1) || q.f.len != 1 || q.f.boffset > rp->geo.blocksize ||
	    rp->geo.blocksize - q.f.boffset < size)
		return replay_bad(rp, "dquot", q.f.id, "it is said to be where it cannot be");
	err = replay_touch(rp, q.f.blkno, rp->geo.blocksize / XFS_BBSIZE, &t);
	if (err == -XFS_E_RANGE)
		return replay_bad(rp, "dquot", q.f.id, "its block is not on the device");
	if (err)
		return err;
	p = t->buf->data + q.f.boffset;
	if (rp->careful && xfs_be16(p) != XFS_DQUOT_MAGIC)
		return replay_bad(rp, "dquot", q.f.id, "no dquot stands in its place");
	lsn = rp->geo.v5 ? xfs_be64(p + XFS_OFF(dquot, lsn)) : 0;
	if (lsn && lsn != XFS_NULL64 && lsn >= rp->lsn && xfs_crc32c_check(p, size, XFS_OFF(dquot, crc))) {
		rp->out->counts.dquots_newer++;
		return 0;
	}
	memcpy(p, q.dquot, sizeof(struct xfs_disk_dquot_disk));
	if (rp->geo.v5)
		xfs_crc32c_store(p, size, XFS_OFF(dquot, crc));
	replay_dirty(t);
	rp->out->counts.dquots++;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* live.c - a filesystem that is being changed: opening, closing, the space of its AGs. */
#include "libxfs/inode/aginodes.h"

#include <stdlib.h>

/* NULL, or the feature that changes could not keep right. */
static const char *in_the_way(const struct xfs_geometry *g)
{
	return g->needsrepair ? "needsrepair" : NULL;
}

int xfs_live_open(struct xfs_live **out, struct xfs_fs *fs)
{
	const char *feature = in_the_way(&fs->geo);
	struct xfs_live *l;

	*out = NULL;
	if (fs->dev.data->readonly)
		return -XFS_E_READONLY;
	if (feature) {
		struct xfs_finding f = xfs_finding_of(XFS_F_SB_FEATURE, "superblock");

		xfs_finding_detail(&f, "it has %s, which can't be changed", feature);
		xfs_fs_report(fs, &f);
		return -XFS_E_UNSUPPORTED;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return -XFS_E_NOMEM;
	l->fs = fs;
	l->ags = calloc(fs->geo.agcount, sizeof(struct xfs_agspace *));
	if (!l->ags) {
		free(l);
		return -XFS_E_NOMEM;
	}
	*out = l;
	return 0;
}

void xfs_live_close(struct xfs_live *l)
{
	if (!l)
		return;
	for (uint32_t i = 0; i < l->fs->geo.agcount; i++)
		xfs_agspace_close(l->ags[i]);
	for (uint32_t i = 0; l->inodes_of && i < l->fs->geo.agcount; i++)
		xfs_aginodes_close(l->inodes_of[i]);
	free(l->inodes_of);
	free(l->ags);
	free(l->inodes);
	free(l);
}

/* What the trees may still need is left alone from now on, where there is that much (format sheet 01, section 11.4). */
static int reserve(struct xfs_live *l, struct xfs_agspace *ag)
{
	uint32_t fino = l->fs->geo.finobt;
	struct xfs_agi agi;
	int err;

	if (l->fs->geo.inobtcnt) {
		err = xfs_fs_agi(l->fs, ag->agno, &agi, NULL);
		if (err)
			return err;
		fino = agi.fino_blocks;
	}
	err = xfs_agspace_reserve(ag, fino);
	return err == -XFS_E_NOSPC ? 0 : err;
}

int xfs_live_ag(struct xfs_live *l, struct xfs_change *c, xfs_agno_t agno, struct xfs_agspace **out)
{
	struct xfs_agspace *ag;
	int err = 0;

	*out = NULL;
	if (agno.v >= l->fs->geo.agcount)
		return -XFS_E_RANGE;
	ag = l->ags[agno.v];
	if (!ag) {
		err = xfs_agspace_open(&ag, l->fs, agno);
		if (err)
			return err;
		err = reserve(l, ag);
		if (err) {
			xfs_agspace_close(ag);
			return err;
		}
		l->ags[agno.v] = ag;
	}
	err = xfs_agspace_join(ag, c);
	if (!err)
		*out = ag;
	return err;
}

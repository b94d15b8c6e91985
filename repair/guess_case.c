/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guess_case.c - whether names of a filesystem are looked up without regard to case, as the hashes of its directories
 * tell (format sheet 03, section 5.6; sheet 01, section 4.1).
 */
#include "repair/superblock.h"

#include "libxfs/inode/scan.h"
#include "libxfs/name/dir.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>

#define ENOUGH 32u			/* names that tell, of one directory and of all */

struct case_guess {
	struct xfs_fs *fs;
	struct xfs_inode *ip;
	struct xfs_dir dir;
	unsigned plain, folded;		/* names that are found in one way alone */
};

static bool is_found(struct case_guess *g, bool folded, const struct xfs_dir_entry *e)
{
	uint32_t cookie;
	xfs_ino_t ino;

	g->fs->geo.asciici = folded;
	return !xfs_dir_lookup(&g->dir, e->name, e->namelen, &ino, NULL, &cookie) && ino.v == e->ino.v;
}

static int ask_name(void *payload, const struct xfs_dir_entry *e)
{
	struct case_guess *g = payload;
	bool plain, folded;

	if (xfs_name_hash(e->name, e->namelen) == xfs_name_hash_ci(e->name, e->namelen))
		return 0;
	plain = is_found(g, false, e);
	folded = is_found(g, true, e);
	g->plain += plain && !folded;
	g->folded += folded && !plain;
	return g->plain + g->folded >= ENOUGH;
}

static int ask_inode(void *payload, const struct xfs_inode_seen *s)
{
	struct case_guess *g = payload;

	if (!s->raw || xfs_inode_parse(g->fs, s->ino, s->raw, g->ip) ||
	    (g->ip->d.core.mode & XFS_MODE_FMT) != XFS_MODE_DIR || g->ip->d.core.format == XFS_DINODE_FMT_LOCAL ||
	    xfs_dir_open(&g->dir, g->ip, NULL))
		return 0;
	xfs_dir_each(&g->dir, 0, ask_name, g);
	return g->plain + g->folded >= ENOUGH;
}

void repair_guess_case(struct repair *r, struct xfs_sb *sb)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .sb = sb };
	struct case_guess g = { .ip = malloc(sizeof(*g.ip)) };

	if (g.ip && !xfs_fs_open(&g.fs, &r->dev, &options, NULL)) {
		for (uint32_t agno = 0; agno < sb->agcount && g.plain + g.folded < ENOUGH; agno++)
			xfs_inodes_each(g.fs, XFS_AGNO(agno), 0, ask_inode, &g, NULL);
		xfs_fs_close(g.fs);
	}
	free(g.ip);
	if (g.folded > g.plain)
		sb->versionnum |= XFS_SB_VERSION_BORG;
	else if (g.plain > g.folded)
		sb->versionnum &= (uint16_t)~XFS_SB_VERSION_BORG;
}

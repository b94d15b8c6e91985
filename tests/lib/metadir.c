/* SPDX-License-Identifier: BSD-2-Clause */
/* metadir.c - what the parts of the helper program metadir share: its devices, the inodes that it made. */
#include "tests/lib/metadir.h"

#include "libxfs/base/crc32c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct metadir metadir;

void metadir_must(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "metadir: %s: %s\n", what, xfs_error_text(err));
	exit(1);
}

/* ---- inodes as they lie on the device ---- */

void metadir_load(uint64_t ino, uint8_t *image, struct xfs_dinode *d)
{
	metadir_must(xfs_dev_read(metadir.dev, xfs_ino_byte(&metadir.geo, XFS_INO(ino)), image,
			metadir.geo.inodesize), "inode");
	xfs_dinode_decode(d, image);
}

void metadir_store(uint64_t ino, uint8_t *image, const struct xfs_dinode *d)
{
	xfs_dinode_encode(image, d);
	xfs_crc32c_store(image, metadir.geo.inodesize, XFS_DINODE_CRC_OFF);
	metadir_must(xfs_dev_write(metadir.dev, xfs_ino_byte(&metadir.geo, XFS_INO(ino)), image,
			metadir.geo.inodesize), "inode");
}

void metadir_dress(uint64_t ino, unsigned metatype, uint32_t group)
{
	bool dir = metatype == XFS_METAFILE_DIR;
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	metadir_load(ino, image, &d);
	d.core.mode = dir ? XFS_MODE_DIR : XFS_MODE_REG;
	d.core.metatype = (uint16_t)metatype;
	d.core.flags = dir ? XFS_DIFLAG_METADATA_DIR : XFS_DIFLAG_METADATA_FILE;
	d.v3.flags2 |= XFS_DIFLAG2_METADATA;
	xfs_dinode_set_projid(&d, group);
	if (metatype == XFS_METAFILE_USRQUOTA || metatype == XFS_METAFILE_GRPQUOTA || metatype == XFS_METAFILE_PRJQUOTA)
		d.core.size = 0;
	metadir_store(ino, image, &d);
}

/* The library changes no metadata directory: for that time they are like others. */
void metadir_undress(uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	metadir_load(ino, image, &d);
	d.core.mode = XFS_MODE_DIR | 0700;
	d.core.metatype = 0;
	d.core.flags = 0;
	d.v3.flags2 &= ~XFS_DIFLAG2_METADATA;
	metadir_store(ino, image, &d);
}

struct metadir_made *metadir_find(const char *name)
{
	for (unsigned i = 0; i < metadir.nmade; i++)
		if (!strcmp(metadir.made[i].name, name))
			return &metadir.made[i];
	return NULL;
}

uint64_t metadir_block_of(uint64_t ino, uint64_t block)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_bmbt_rec rec;
	struct xfs_dinode d;

	metadir_load(ino, image, &d);
	for (uint64_t i = 0; i < xfs_dinode_nextents(&d, XFS_FORK_DATA) &&
			d.core.format == XFS_DINODE_FMT_EXTENTS; i++) {
		xfs_bmbt_rec_decode(&rec, image + xfs_dinode_literal_off(3) + 16 * i);
		if (block >= rec.startoff && block < rec.startoff + rec.blockcount)
			return rec.startblock + block - rec.startoff;
	}
	metadir_must(-XFS_E_NOENT, "block of a file");
	return 0;
}

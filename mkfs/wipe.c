/* SPDX-License-Identifier: BSD-2-Clause */
/* wipe.c - takes away what the device held: old superblocks, metadata at both ends, blocks (format sheet 05, 6.6). */
#include "mkfs/wipe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define ENDS (UINT64_C(128) << 10)		/* metadata of other formats lies within this much of an end */
#define DISCARD_STEP (UINT64_C(2) << 30)
#define AG_MIN_BYTES (UINT64_C(16) << 20)

/* Good enough to say where its secondaries were; blocklog is not trusted. */
static bool plausible(const struct xfs_sb *sb)
{
	return sb->magicnum == XFS_SB_MAGIC && xfs_is_pow2(sb->blocksize) && sb->blocksize >= 512 &&
			sb->blocksize <= 65536 &&
		sb->blocklog == xfs_log2_floor(sb->blocksize) && xfs_is_pow2(sb->sectsize) && sb->sectsize >= 512 &&
		sb->sectsize <= 32768 && (uint64_t)sb->agblocks * sb->blocksize >= AG_MIN_BYTES && sb->agcount > 0 &&
		sb->dblocks <= (uint64_t)sb->agcount * sb->agblocks &&
		sb->dblocks > (uint64_t)(sb->agcount - 1) * sb->agblocks + 64;
}

void mkfs_wipe_old_superblocks(struct xfs_dev *dev)
{
	uint8_t raw[512];
	struct xfs_sb sb;
	uint64_t step;

	if (xfs_dev_read(dev, 0, raw, sizeof(raw)))
		return;
	xfs_sb_decode(&sb, raw);
	if (!plausible(&sb))
		return;
	step = (uint64_t)sb.agblocks * sb.blocksize;
	for (uint64_t n = 1, off = step; n < sb.agcount && off + sb.sectsize <= dev->size; n++, off += step)
		if (xfs_dev_zero(dev, off, sb.sectsize))
			return;
}

int mkfs_wipe_ends(struct xfs_dev *dev)
{
	uint64_t len = xfs_min(ENDS, dev->size);
	int err = xfs_dev_zero(dev, dev->size - len, len);

	return err ? err : xfs_dev_zero(dev, 0, len);
}

/* The queue of a partition is that of its disk. */
static bool can_discard(const char *path)
{
	static const char *const forms[] = { "/sys/dev/block/%u:%u/queue/%s", "/sys/dev/block/%u:%u/../queue/%s" };
	unsigned long long most = 0;
	char name[128];
	struct stat st;
	FILE *file;

	if (stat(path, &st) || !S_ISBLK(st.st_mode))
		return false;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(forms) && !most; i++) {
		snprintf(name, sizeof(name), forms[i], major(st.st_rdev), minor(st.st_rdev), "discard_max_bytes");
		file = fopen(name, "re");
		if (!file)
			continue;
		if (fscanf(file, "%llu", &most) != 1)
			most = 0;
		fclose(file);
	}
	return most > 0;
}

void mkfs_discard(struct xfs_dev *dev, const char *path, bool quiet)
{
	if (!can_discard(path))
		return;
	if (!quiet) {
		fputs("Discarding blocks...", stdout);
		fflush(stdout);
	}
	for (uint64_t off = 0; off < dev->size; off += DISCARD_STEP)
		if (xfs_dev_discard(dev, off, xfs_min(DISCARD_STEP, dev->size - off)))
			break;
	if (!quiet)
		puts("Done.");
}

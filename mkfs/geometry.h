/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * geometry.h - what filesystem mkfs.xfs makes: options and facts about the devices in, superblock out.
 *
 * mkfs_geometry_compute() is a pure function: no I/O, no clock, no chance.  What it has to say is collected in `notes`
 * (for stdout, before the table) and `warnings` (for stderr).
 */
#ifndef MKFS_GEOMETRY_H
#define MKFS_GEOMETRY_H

#include "libxfs/mount/geometry.h"
#include "mkfs/options.h"

struct mkfs_disk {
	bool present;
	bool growable;			/* a file that takes the size that is asked for */
	uint64_t size;			/* bytes */
	uint32_t lsect, psect;		/* logical and physical sector, bytes */
	uint32_t sunit, swidth;		/* what the device reports, 512-byte units; 0 = nothing */
	bool solid;			/* solid state: no seeks */
};

struct mkfs_device_facts {
	struct mkfs_disk data, log, rt;
	unsigned cpus;			/* online */
	bool small_allowed;		/* the minimums of supported filesystems are lifted */
	uint8_t uuid[16];		/* used when no uuid is given */
};

struct mkfs_features {
	bool crc, finobt, sparse, rmapbt, reflink, inobtcount, bigtime, nrext64, exchange, parent, metadir, zoned;
	bool align, lazy, projid32, ftype, ci;
	bool rtinherit, external_log, rt;	/* rt: a realtime section exists */
	int autofsck;				/* -1 = no attribute, 0 none, 1 check, 2 optimize, 3 repair */
	int attr, log_version;
	uint16_t qflags;
};

struct mkfs_geometry {
	struct xfs_sb sb;		/* of the primary, as it stands when mkfs is done */
	struct xfs_geometry geo;	/* the same, derived */
	struct mkfs_features f;
	uint32_t logsect;		/* sector size of the log, bytes */
	uint32_t lsunit, dsunit, dswidth;	/* blocks */
	uint32_t log_agno, log_agbno;	/* of an internal log */
	uint32_t prealloc;		/* P: first block of an AG behind headers and roots */
	/* inode chunks: of the root in AG 0, and with a metadata directory mostly a second one, in the AG of the log */
	struct { uint32_t agno, agbno; } chunk[2];
	unsigned nchunks;
	uint64_t rtgroups_ino;		/* directory in the metadata directory; 0 = none */
	uint64_t fdblocks_before;	/* free blocks before inodes exist: in the secondaries */
	uint64_t max_usable;		/* longest extent of an AG */
	uint32_t extsize, cowextsize, projid;	/* of the root directory */
	bool projinherit, daxinherit;
	uint64_t data_size;		/* the size that the data device must have, bytes */
	const char *later;		/* what of this can't be written yet, or NULL */
	char notes[1000], warnings[1000];
};

/* 0, or -1 with *err set. */
int mkfs_geometry_compute(const struct mkfs_options *, const struct mkfs_device_facts *, struct mkfs_geometry *,
			  struct mkfs_error *);

/* The table of mkfs, xfs_info and xfs_growfs (format sheet 05, section 13); as snprintf(). */
int mkfs_format_table(char *buf, size_t size, const struct xfs_sb *, const char *data, const char *log, const char *rt);

/* --- parts, one file each --- */
int mkfs_decide_features(const struct mkfs_options *, uint32_t blocksize, struct mkfs_geometry *, struct mkfs_error *);
int mkfs_compute_log_unit(const struct mkfs_options *, struct mkfs_geometry *, struct mkfs_error *);
int mkfs_compute_log(const struct mkfs_options *, const struct mkfs_device_facts *, struct mkfs_geometry *,
		     struct mkfs_error *);
int mkfs_compute_rt_extent(const struct mkfs_options *, const struct mkfs_device_facts *, struct mkfs_geometry *,
			   struct mkfs_error *);
int mkfs_compute_rt(const struct mkfs_options *, const struct mkfs_device_facts *, struct mkfs_geometry *,
		    struct mkfs_error *);
void mkfs_note(char *notes, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

XFS_INLINE int64_t mkfs_number(const struct mkfs_options *o, enum mkfs_option id, int64_t otherwise)
{
	return o->v[id].set ? o->v[id].n : otherwise;
}

#endif

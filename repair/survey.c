/* SPDX-License-Identifier: BSD-2-Clause */
/* survey.c - reads the whole device once and keeps what tells geometry and features. */
#include "repair/survey.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/name/dirdata.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/logrecord.h"
#include "libxfs/space/claims.h"

#include <stdlib.h>
#include <string.h>

#define PIECE (1u << 20)
#define LARGEST (64u << 10)		/* bytes of a block: so much is read beyond a piece */
#define MOST_HEADERS (1u << 20)
#define MOST_RECORDS (1u << 16)
#define MOST_RECORD (256u << 10)	/* bytes of one */
#define ENOUGH 4096u			/* votes on one size */
#define VERSION_AT XFS_OFF(dinode_core, version)

struct looking {
	struct survey *s;
	const uint8_t *p;		/* the sector */
	uint32_t left;			/* bytes from it to the end of what was read */
	uint64_t off;			/* of the sector on the device */
};

static struct survey_group *group_of(struct survey *s, const uint8_t *uuid)
{
	for (size_t i = 0; i < s->ngroups; i++)
		if (!memcmp(s->groups[i].uuid, uuid, 16))
			return &s->groups[i];
	if (s->ngroups == SURVEY_GROUPS)
		return NULL;
	memcpy(s->groups[s->ngroups].uuid, uuid, 16);
	s->groups[s->ngroups].root = s->groups[s->ngroups].metaroot = XFS_NULL64;
	return &s->groups[s->ngroups++];
}

/* log2 of the size over which the checksum is right, 0 when there is none. */
static unsigned size_by_crc(const struct looking *l, size_t crc_off, unsigned low, unsigned high)
{
	for (unsigned k = low; k <= high && 1u << k <= l->left; k++)
		if (xfs_crc32c_check(l->p, (size_t)1 << k, crc_off))
			return k;
	return 0;
}

/* ---- AG headers ---- */

static int keep_header(struct survey_group *g, const struct survey_header *h)
{
	if (g->nheaders == MOST_HEADERS)
		return 0;
	if (xfs_grow(&g->headers, g->nheaders, &g->header_room, 64))
		return -XFS_E_NOMEM;
	g->headers[g->nheaders++] = *h;
	return 0;
}

static int look_at_header(struct looking *l, bool agi)
{
	static const uint8_t none[16];
	const size_t uuid = agi ? XFS_OFF(agi, uuid) : XFS_OFF(agf, uuid);
	const size_t crc = agi ? XFS_OFF(agi, crc) : XFS_OFF(agf, crc);
	unsigned size = size_by_crc(l, crc, 9, 15);
	struct survey_header h = { .off = l->off, .seqno = xfs_be32(l->p + XFS_OFF(agf, seqno)),
				   .length = xfs_be32(l->p + XFS_OFF(agf, length)), .agi = agi };
	struct survey_group *g;
	struct xfs_agf f;
	struct xfs_agi i;

	/* V4 headers have neither checksum nor uuid */
	if (xfs_be32(l->p + XFS_OFF(agf, versionnum)) != 1 || h.length < 64 || (!size && memcmp(l->p + uuid, none, 16)))
		return 0;
	h.sectsize = size ? 1u << size : 0;
	g = group_of(l->s, size ? l->p + uuid : none);
	if (!g)
		return 0;
	if (agi) {
		xfs_agi_decode(&i, l->p);
		g->agis++;
		g->finobt += size && i.free_root && i.free_level;
		g->inobtcnt += size && i.ino_blocks;
	} else {
		xfs_agf_decode(&f, l->p);
		g->agfs++;
		g->rmap += size && f.rmaproot && f.rmaplevel;
		g->refcount += size && f.refcntroot && f.refcntlevel;
	}
	return keep_header(g, &h);
}

/* ---- blocks ---- */

static void look_for_log(struct looking *l, struct survey_group *g, unsigned size)
{
	const struct xfs_rmap_rec_disk *rec = (const void *)(l->p + sizeof(struct xfs_btree_short_disk));
	size_t n = xfs_min(xfs_be16(l->p + XFS_OFF(btree_short, numrecs)),
			   ((1u << size) - sizeof(struct xfs_btree_short_disk)) / sizeof(*rec));

	for (size_t i = 0; i < n; i++, rec++) {
		if (xfs_rmap_rec_get_owner(rec) != XFS_OWN_LOG)
			continue;
		g->log_agno = xfs_be32(l->p + XFS_OFF(btree_short, owner));
		g->log_agbno = xfs_rmap_rec_get_startblock(rec);
		g->log_blocks = xfs_rmap_rec_get_blockcount(rec);
	}
}

static void look_at_btree(struct looking *l, uint32_t magic)
{
	const void *first = l->p + sizeof(struct xfs_btree_short_disk);
	struct survey_group *g;
	unsigned size;

	if (xfs_be64(l->p + XFS_OFF(btree_short, bno)) != l->off / XFS_BBSIZE)
		return;
	g = group_of(l->s, l->p + XFS_OFF(btree_short, uuid));
	if (!g || (magic != XFS_RMAPBT_MAGIC && magic != XFS_INOBT_MAGIC && g->blocksize[12] > ENOUGH))
		return;
	size = size_by_crc(l, XFS_OFF(btree_short, crc), 10, 16);
	if (!size)
		return;
	g->blocksize[size]++;
	if (xfs_be16(l->p + XFS_OFF(btree_short, level)) || !xfs_be16(l->p + XFS_OFF(btree_short, numrecs)))
		return;
	if (magic == XFS_RMAPBT_MAGIC)
		look_for_log(l, g, size);
	else if (magic == XFS_INOBT_MAGIC)	/* the second byte of the old counter is where new ones count 4 to 64 */
		*(xfs_inobt_rec_get_count(first) ? &g->sparse : &g->dense) += 1;
}

static void look_at_v4_btree(struct looking *l)
{
	/* its own group has no checksum: sizes come from elsewhere */
	static const uint8_t none[16];
	struct survey_group *g = group_of(l->s, none);

	if (g && !xfs_be16(l->p + XFS_OFF(btree_short, level)) && xfs_be16(l->p + XFS_OFF(btree_short, numrecs)))
		g->dense++;
}

static void look_at_directory(struct looking *l)
{
	struct survey_group *g;
	unsigned size;

	if (xfs_be64(l->p + XFS_OFF(dir_blkhdr, bno)) != l->off / XFS_BBSIZE)
		return;
	g = group_of(l->s, l->p + XFS_OFF(dir_blkhdr, uuid));
	size = g ? size_by_crc(l, XFS_OFF(dir_blkhdr, crc), 10, 16) : 0;
	if (size)
		g->dirsize[size]++;
}

/*
 * V4: entries and free areas carry their own offset at their end, so they can be followed as far as the block goes.
 * Returns where that is.
 */
static uint32_t follow_entries(const struct looking *l, bool ftype)
{
	const struct xfs_geometry geo = { .ftype = ftype };
	uint32_t at = xfs_dir_data_header_len(false), next = at, most = xfs_min(l->left, 65536u);
	struct xfs_dir_item item;

	while (most - at >= 16 && xfs_dir_data_next(&geo, l->p, most, &next, &item) >= 0 && item.tag == at)
		at = next;
	return at;
}

/* Bytes that the index and the counters of a single block take, as the counters say. */
static uint64_t index_bytes(const uint8_t *block, uint32_t size)
{
	const struct xfs_dir_block_tail_disk *tail = (const void *)(block + size - sizeof(*tail));

	return sizeof(struct xfs_dir_leaf_ent_disk) * (uint64_t)xfs_dir_block_tail_get_count(tail) + sizeof(*tail);
}

static void look_at_v4_directory(struct looking *l, uint32_t magic)
{
	static const uint8_t none[16];
	uint32_t end[2] = { follow_entries(l, false), follow_entries(l, true) }, at = xfs_max(end[0], end[1]);
	const uint8_t *dot = l->p + xfs_dir_data_header_len(false);
	struct survey_group *g = group_of(l->s, none);

	if (!g || at <= xfs_dir_data_header_len(false) + 16)
		return;
	if (end[0] != end[1])
		*(end[1] > end[0] ? &g->ftype : &g->no_ftype) += 1;
	/* the first entry of a directory: behind its name of one byte stands the type of a directory, or nothing */
	if (dot[8] == 1 && dot[9] == '.')
		*(dot[10] == XFS_DIR_FT_DIR ? &g->ftype : &g->no_ftype) += 1;
	for (unsigned k = 9; k <= 16 && 1u << k <= l->left; k++) {
		uint32_t size = 1u << k;

		/* data blocks end with their entries; a single block has its index and two counters behind them */
		if (magic == XFS_DIR2_DATA_MAGIC
		    ? at == size : at < size && at + index_bytes(l->p, size) == size)
			g->dirsize[k]++;
	}
}

static int keep_realtime(struct survey_group *g, uint64_t off, const struct xfs_dinode *d)
{
	if (!(d->core.flags & XFS_DIFLAG_REALTIME) || (d->core.mode & XFS_MODE_FMT) != XFS_MODE_REG)
		return 0;
	if (xfs_grow(&g->realtime, g->nrealtime, &g->realtime_room, 64))
		return -XFS_E_NOMEM;
	g->realtime[g->nrealtime++] = off;
	return 0;
}

/* V4: the next inode tells where this one ends. */
static int look_at_v4_inode(struct looking *l)
{
	static const uint8_t none[16];
	struct survey_group *g = group_of(l->s, none);
	struct xfs_dinode d;
	int error = 0;

	if (g && l->left >= 256) {
		xfs_dinode_decode(&d, l->p);
		error = keep_realtime(g, l->off, &d);
	}
	for (unsigned k = 8; g && !error && k <= 11 && (1u << k) + 8 <= l->left; k++) {
		const uint8_t *next = l->p + (1u << k);

		if (xfs_be16(next) != XFS_DINODE_MAGIC || (next[VERSION_AT] != 1 && next[VERSION_AT] != 2))
			continue;
		g->inodesize[k]++;
		if (k == 8 && l->left >= 512) {	/* the second one of the sector */
			xfs_dinode_decode(&d, next);
			error = keep_realtime(g, l->off + 256, &d);
		}
		break;
	}
	return error;
}

static bool has_parent_pointer(const struct xfs_dinode *d, const uint8_t *image, uint32_t size)
{
	const uint8_t *p = image + xfs_dinode_fork_off(3, d->core.forkoff, size, XFS_FORK_ATTR);
	uint32_t room = xfs_dinode_fork_size(3, d->core.forkoff, size, XFS_FORK_ATTR);
	uint32_t at = sizeof(struct xfs_attr_sf_hdr_disk);
	struct xfs_attr_sf_hdr h;
	struct xfs_attr_sf_ent e;

	if (d->core.aformat != XFS_DINODE_FMT_LOCAL || !d->core.forkoff || room < at)
		return false;
	xfs_attr_sf_hdr_decode(&h, p);
	for (unsigned i = 0; i < h.count && room - at >= sizeof(struct xfs_attr_sf_ent_disk); i++) {
		xfs_attr_sf_ent_decode(&e, p + at);
		if (e.flags & XFS_ATTR_PARENT)
			return true;
		if (xfs_attr_sf_entsize(e.namelen, e.valuelen) > room - at)
			return false;
		at += xfs_attr_sf_entsize(e.namelen, e.valuelen);
	}
	return false;
}

static int look_at_inode(struct looking *l)
{
	struct survey_group *g;
	struct xfs_dir_sf sf;
	struct xfs_dinode d;
	uint64_t *root;
	uint32_t size;
	unsigned log;

	if (l->left < 512)
		return 0;
	log = size_by_crc(l, XFS_DINODE_CRC_OFF, 9, 11);
	g = log ? group_of(l->s, l->p + XFS_OFF(dinode_v3, uuid)) : NULL;
	if (!g)
		return 0;
	size = 1u << log;
	g->inodesize[log]++;
	xfs_dinode_decode(&d, l->p);
	if (!d.core.mode)
		return 0;
	g->used += g->used < UINT32_MAX;
	g->flags2 |= d.v3.flags2;
	if (keep_realtime(g, l->off, &d))
		return -XFS_E_NOMEM;
	g->parents |= has_parent_pointer(&d, l->p, size);
	root = xfs_dinode_is_metadata(&d) ? &g->metaroot : &g->root;
	if ((d.core.mode & XFS_MODE_FMT) != XFS_MODE_DIR || d.v3.inumber >= *root)
		return 0;
	if (d.core.format == XFS_DINODE_FMT_LOCAL &&
	    !xfs_dir_sf_start(&sf, l->p + xfs_dinode_literal_off(3),
			      xfs_dinode_fork_size(3, d.core.forkoff, size, XFS_FORK_DATA)) &&
			      sf.parent == d.v3.inumber)
		*root = d.v3.inumber;
	return 0;
}

/* ---- the log ---- */

static int look_at_record(struct looking *l)
{
	static const uint8_t none[16];
	struct survey *s = l->s;
	struct xfs_log_rec h;
	uint32_t block, heads;

	xfs_log_rec_decode(&h, l->p);
	block = (uint32_t)h.lsn;
	heads = h.version == 2 && h.size > XFS_LOG_HEADER_DATA ? xfs_ceil_div(h.size, XFS_LOG_HEADER_DATA) : 1;
	if ((h.version != 1 && h.version != 2) || h.len > MOST_RECORD || h.size > MOST_RECORD ||
	    !memcmp(h.fs_uuid, none, 16) || (uint64_t)block * XFS_BBSIZE > l->off || h.cycle != h.lsn >> 32 ||
	    s->nrecords == MOST_RECORDS)
		return 0;
	if (xfs_grow(&s->records, s->nrecords, &s->record_room, 256))
		return -XFS_E_NOMEM;
	s->records[s->nrecords] = (struct survey_record){ l->off - (uint64_t)block * XFS_BBSIZE, block, h.prev_block,
							  heads + xfs_ceil_div(h.len, XFS_BBSIZE), h.size,
							  h.version, { 0 } };
	memcpy(s->records[s->nrecords++].uuid, h.fs_uuid, 16);
	return 0;
}

/* ---- the pass ---- */

static int look(struct looking *l)
{
	uint32_t magic = xfs_be32(l->p);

	switch (magic) {
	case XFS_AGF_MAGIC:
		return look_at_header(l, false);
	case XFS_AGI_MAGIC:
		return look_at_header(l, true);
	case XFS_LOG_MAGIC:
		return look_at_record(l);
	case XFS_BNOBT_MAGIC:
	case XFS_CNTBT_MAGIC:
	case XFS_INOBT_MAGIC:
	case XFS_RMAPBT_MAGIC:
		look_at_btree(l, magic);
		return 0;
	case XFS_INOBT_MAGIC_V4:
		look_at_v4_btree(l);
		return 0;
	case XFS_DIR3_BLOCK_MAGIC:
	case XFS_DIR3_DATA_MAGIC:
		look_at_directory(l);
		return 0;
	case XFS_DIR2_BLOCK_MAGIC:
	case XFS_DIR2_DATA_MAGIC:
		look_at_v4_directory(l, magic);
		return 0;
	default:
		if (magic >> 16 == XFS_DINODE_MAGIC && l->p[VERSION_AT] == 3)
			return look_at_inode(l);
		if (magic >> 16 == XFS_DINODE_MAGIC && (l->p[VERSION_AT] == 1 || l->p[VERSION_AT] == 2))
			return look_at_v4_inode(l);
		return 0;
	}
}

/* What holds nothing but zeroes is passed over. */
static uint64_t next_piece(struct xfs_dev *dev, uint64_t off)
{
	uint64_t next = xfs_dev_next_data(dev, off);

	return next < dev->size ? next & ~(uint64_t)(XFS_BBSIZE - 1) : dev->size;
}

int repair_survey(struct xfs_dev *dev, struct survey *s)
{
	uint8_t *bytes = malloc(PIECE + LARGEST);
	int error = bytes ? 0 : -XFS_E_NOMEM;

	*s = (struct survey){ 0 };
	for (uint64_t off = next_piece(dev, 0); off < dev->size && !error; off = next_piece(dev, off + PIECE)) {
		uint32_t len = (uint32_t)xfs_min((uint64_t)(PIECE + LARGEST), dev->size - off) & ~(XFS_BBSIZE - 1);

		/* what can't be read comes back as zeroes */
		xfs_dev_read(dev, off, bytes, len);
		for (uint32_t at = 0; at < xfs_min(len, PIECE) && !error; at += XFS_BBSIZE) {
			struct looking l = { s, bytes + at, len - at, off + at };

			error = look(&l);
		}
	}
	free(bytes);
	return error;
}

unsigned repair_survey_most(const uint32_t *votes)
{
	unsigned best = 0;

	for (unsigned i = 1; i < SURVEY_BLOCKLOGS; i++)
		if (votes[i] > votes[best])
			best = i;
	return votes[best] ? best : 0;
}

void repair_survey_release(struct survey *s)
{
	for (size_t i = 0; i < s->ngroups; i++) {
		free(s->groups[i].headers);
		free(s->groups[i].realtime);
	}
	free(s->records);
	*s = (struct survey){ 0 };
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* survey.c - reads the whole device once and keeps what tells geometry and features. */
#include "repair/survey.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/dir.h"
#include "libxfs/ondisk/logrecord.h"
#include "libxfs/space/claims.h"

#include <stdlib.h>
#include <string.h>

#define PIECE (1u << 20)
#define MOST_HEADERS (1u << 20)
#define MOST_RECORDS (1u << 16)
#define ENOUGH 4096u			/* votes on one size */

struct looking {
	struct survey *s;
	const uint8_t *p;		/* the sector */
	uint32_t left;			/* bytes from it to the end of the piece */
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
	s->groups[s->ngroups].root = XFS_NULL64;
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
	if (g->nheaders == g->header_room) {
		size_t room = g->header_room ? 2 * g->header_room : 64;
		struct survey_header *grown = realloc(g->headers, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		g->headers = grown;
		g->header_room = room;
	}
	g->headers[g->nheaders++] = *h;
	return 0;
}

static int look_at_header(struct looking *l, bool agi)
{
	static const uint8_t none[16];
	const size_t uuid = agi ? XFS_OFF(agi, uuid) : XFS_OFF(agf, uuid), crc = agi ? XFS_OFF(agi, crc) : XFS_OFF(agf, crc);
	unsigned size = size_by_crc(l, crc, 9, 15);
	struct survey_header h = { .off = l->off, .seqno = xfs_be32(l->p + 8), .length = xfs_be32(l->p + 12), .agi = agi };
	struct survey_group *g;
	struct xfs_agf f;
	struct xfs_agi i;

	/* V4 headers have neither checksum nor uuid */
	if (xfs_be32(l->p + 4) != 1 || h.length < 64 || (!size && memcmp(l->p + uuid, none, 16)))
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
	uint32_t n = xfs_min(xfs_be16(l->p + XFS_OFF(btree_short, numrecs)), ((1u << size) - 56) / 24);

	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *rec = l->p + 56 + 24 * (size_t)i;

		if (xfs_be64(rec + 8) != XFS_OWN_LOG)
			continue;
		g->log_agno = xfs_be32(l->p + XFS_OFF(btree_short, owner));
		g->log_agbno = xfs_be32(rec);
		g->log_blocks = xfs_be32(rec + 4);
	}
}

static void look_at_btree(struct looking *l, uint32_t magic)
{
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
		*(l->p[56 + 6] ? &g->sparse : &g->dense) += 1;
}

static void look_at_v4_btree(struct looking *l)
{
	/* its own group has no checksum: sizes come from elsewhere */
	static const uint8_t none[16];
	struct survey_group *g = group_of(l->s, none);

	if (g && !xfs_be16(l->p + 4) && xfs_be16(l->p + 6))
		g->dense++;
}

static void look_at_directory(struct looking *l)
{
	struct survey_group *g;
	unsigned size;

	if (xfs_be64(l->p + 8) != l->off / XFS_BBSIZE)
		return;
	g = group_of(l->s, l->p + 24);
	size = g ? size_by_crc(l, 4, 10, 16) : 0;
	if (size)
		g->dirsize[size]++;
}

/*
 * V4: entries and free areas carry their own offset at their end, so they can be followed as far as the block goes.
 * Returns where that is.
 */
static uint32_t follow_entries(const struct looking *l, bool ftype)
{
	uint32_t at = 16, most = xfs_min(l->left, 65536u);

	while (most - at >= 16) {
		bool unused = xfs_be16(l->p + at) == 0xffff;
		uint32_t size = unused ? xfs_be16(l->p + at + 2) : (8u + 1 + l->p[at + 8] + ftype + 2 + 7) & ~7u;

		if (size < 8 || size % 8 || size > most - at || xfs_be16(l->p + at + size - 2) != at)
			break;
		at += size;
	}
	return at;
}

static void look_at_v4_directory(struct looking *l, uint32_t magic)
{
	static const uint8_t none[16];
	uint32_t end[2] = { follow_entries(l, false), follow_entries(l, true) }, at = xfs_max(end[0], end[1]);
	struct survey_group *g = group_of(l->s, none);

	if (!g || at <= 32)
		return;
	if (end[0] != end[1])
		*(end[1] > end[0] ? &g->ftype : &g->no_ftype) += 1;
	for (unsigned k = 9; k <= 16 && 1u << k <= l->left; k++) {
		uint32_t size = 1u << k;

		/* data blocks end with their entries; a single block has its index and two counters behind them */
		if (magic == XFS_DIR2_DATA_MAGIC
		    ? at == size : at < size && at + 8 * (uint64_t)xfs_be32(l->p + size - 8) + 8 == size)
			g->dirsize[k]++;
	}
}

/* V4: the next inode tells where this one ends. */
static void look_at_v4_inode(struct looking *l)
{
	static const uint8_t none[16];
	struct survey_group *g = group_of(l->s, none);

	for (unsigned k = 8; g && k <= 11 && (1u << k) + 8 <= l->left; k++) {
		const uint8_t *next = l->p + (1u << k);

		if (xfs_be16(next) != XFS_DINODE_MAGIC || (next[4] != 1 && next[4] != 2))
			continue;
		g->inodesize[k]++;
		return;
	}
}

static bool has_parent_pointer(const struct xfs_dinode *d, const uint8_t *image, uint32_t size)
{
	const uint8_t *p = image + xfs_dinode_fork_off(3, d->core.forkoff, size, XFS_FORK_ATTR);
	uint32_t room = xfs_dinode_fork_size(3, d->core.forkoff, size, XFS_FORK_ATTR), at = 4;

	if (d->core.aformat != XFS_DINODE_FMT_LOCAL || !d->core.forkoff || room < 4)
		return false;
	for (unsigned i = 0; i < p[2] && room - at >= 3; i++) {
		uint32_t entry = xfs_attr_sf_entsize(p[at], p[at + 1]);

		if (p[at + 2] & 8)
			return true;
		if (entry > room - at)
			return false;
		at += entry;
	}
	return false;
}

static void look_at_inode(struct looking *l)
{
	struct survey_group *g;
	struct xfs_dinode d;
	uint32_t size;
	unsigned log;

	if (l->left < 512)
		return;
	log = size_by_crc(l, XFS_DINODE_CRC_OFF, 9, 11);
	g = log ? group_of(l->s, l->p + XFS_OFF(dinode_v3, uuid)) : NULL;
	if (!g)
		return;
	size = 1u << log;
	g->inodesize[log]++;
	xfs_dinode_decode(&d, l->p);
	if (!d.core.mode)
		return;
	g->flags2 |= d.v3.flags2;
	g->parents |= has_parent_pointer(&d, l->p, size);
	if ((d.core.mode & XFS_MODE_FMT) != XFS_MODE_DIR || d.v3.inumber >= g->root || xfs_dinode_is_metadata(&d))
		return;
	if (d.core.format == XFS_DINODE_FMT_LOCAL &&
	    (l->p[177] ? xfs_be64(l->p + 178) : xfs_be32(l->p + 178)) == d.v3.inumber)
		g->root = d.v3.inumber;
}

/* ---- the log ---- */

static int look_at_record(struct looking *l)
{
	static const uint8_t none[16];
	uint32_t version = xfs_be32(l->p + 8), len = xfs_be32(l->p + 12), block = (uint32_t)xfs_be64(l->p + 16);
	uint32_t size = l->left >= 512 ? xfs_be32(l->p + 320) : 0;
	uint32_t heads = version == 2 && size > 32768 ? xfs_ceil_div(size, 32768u) : 1;
	struct survey *s = l->s;

	if ((version != 1 && version != 2) || len > 256u << 10 || size > 256u << 10 || !memcmp(l->p + 304, none, 16) ||
	    (uint64_t)block * XFS_BBSIZE > l->off || xfs_be32(l->p + 4) != xfs_be64(l->p + 16) >> 32 || s->nrecords == MOST_RECORDS)
		return 0;
	if (s->nrecords == s->record_room) {
		size_t room = s->record_room ? 2 * s->record_room : 256;
		struct survey_record *grown = realloc(s->records, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		s->records = grown;
		s->record_room = room;
	}
	s->records[s->nrecords] = (struct survey_record){ l->off - (uint64_t)block * XFS_BBSIZE, block, xfs_be32(l->p + 36),
							  heads + xfs_ceil_div(len, XFS_BBSIZE), { 0 } };
	memcpy(s->records[s->nrecords++].uuid, l->p + 304, 16);
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
		if (magic >> 16 == XFS_DINODE_MAGIC && l->p[4] == 3)
			look_at_inode(l);
		else if (magic >> 16 == XFS_DINODE_MAGIC && (l->p[4] == 1 || l->p[4] == 2))
			look_at_v4_inode(l);
		return 0;
	}
}

int repair_survey(struct xfs_dev *dev, struct survey *s)
{
	uint8_t *bytes = malloc(PIECE);
	int error = bytes ? 0 : -XFS_E_NOMEM;

	*s = (struct survey){ 0 };
	for (uint64_t off = 0; off < dev->size && !error; off += PIECE) {
		uint32_t len = (uint32_t)xfs_min((uint64_t)PIECE, dev->size - off) & ~(XFS_BBSIZE - 1);

		/* what can't be read comes back as zeroes */
		xfs_dev_read(dev, off, bytes, len);
		for (uint32_t at = 0; at < len && !error; at += XFS_BBSIZE) {
			struct looking l = { s, bytes + at, len - at, off + at };

			error = look(&l);
		}
	}
	free(bytes);
	return error;
}

void repair_survey_release(struct survey *s)
{
	for (size_t i = 0; i < s->ngroups; i++)
		free(s->groups[i].headers);
	free(s->records);
	*s = (struct survey){ 0 };
}

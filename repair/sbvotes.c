/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sbvotes.c - what the rest of a filesystem says of a superblock: AG headers, roots of trees, the log, the first
 * inodes.
 *
 * Two copies that contradict each other, each with a good checksum, are decided by what they lead to.  A superblock
 * that is wrong about sizes leads to nothing; one that is wrong about a feature leaves its trees or bits unexplained.
 */
#include "repair/sbcopy.h"
#include "repair/superblock.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/name/dirdata.h"
#include "libxfs/ondisk/logrecord.h"

#include <stdlib.h>
#include <string.h>

#define MOST_AGS 64u			/* asked at most: spread over all of them */
#define LOG_BYTES (64u << 10)
#define DIR_BYTES (1u << 20)
#define LOG_PIECES 256u			/* of so many bytes, spread over the log */

/* One superblock that is asked about. */
struct claim {
	struct repair *r;
	const struct xfs_sb *sb;
	struct xfs_geometry geo;
	const uint8_t *uuid;		/* of metadata; NULL: V4 has none */
};

static bool read_at(struct claim *c, uint64_t off, void *buf, size_t len)
{
	uint64_t size = c->r->dev.data->size;

	return off < size && size - off >= len && !xfs_dev_read(c->r->dev.data, off, buf, len);
}

/* True when the block at `agbno` of an AG starts with this magic number. */
static bool has_magic(struct claim *c, uint32_t agno, uint32_t agbno, uint32_t magic)
{
	uint8_t head[4];

	return agbno < xfs_ag_length(&c->geo, XFS_AGNO(agno)) &&
	       read_at(c, xfs_agbno_daddr(&c->geo, XFS_AGNO(agno), XFS_AGBNO(agbno)).v * XFS_BBSIZE, head,
		       sizeof(head)) && xfs_be32(head) == magic;
}

/* ---- AG headers ---- */

/* What AGF and AGI say of themselves, by their sectors. */
enum { AGF = 1, AGI };
static const struct head {
	uint32_t magic;
	size_t seqno, length, uuid, crc;
} heads[] = {
	[AGF] = { XFS_AGF_MAGIC, XFS_OFF(agf, seqno), XFS_OFF(agf, length), XFS_OFF(agf, uuid), XFS_OFF(agf, crc) },
	[AGI] = { XFS_AGI_MAGIC, XFS_OFF(agi, seqno), XFS_OFF(agi, length), XFS_OFF(agi, uuid), XFS_OFF(agi, crc) },
};

/* The first `len` bytes of a header; NULL when it does not lie where this superblock has it. */
static const struct head *read_head(struct claim *c, uint32_t agno, unsigned sector, uint8_t *buf, size_t len)
{
	bool there = read_at(c, xfs_ag_header_daddr(&c->geo, XFS_AGNO(agno), sector).v * XFS_BBSIZE, buf, len) &&
		     xfs_be32(buf) == heads[sector].magic;

	return there ? &heads[sector] : NULL;
}

/*
 * The uuid that metadata has is another one.  Which of the two in a superblock that is, is told by a flag, and that may
 * be what is wrong.
 */
static void set_metadata_uuid(struct xfs_sb *sb, const uint8_t *uuid)
{
	bool flag = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_META_UUID);

	if (flag && memcmp(uuid, sb->uuid, 16)) {
		memcpy(sb->meta_uuid, uuid, 16);
	} else if (flag) {
		sb->features_incompat &= ~XFS_SB_INCOMPAT_META_UUID;
		memset(sb->meta_uuid, 0, 16);
	} else if (!memcmp(uuid, sb->meta_uuid, 16)) {
		sb->features_incompat |= XFS_SB_INCOMPAT_META_UUID;
	} else {
		memcpy(sb->uuid, uuid, 16);
	}
}

void repair_sb_vote_uuid(struct repair *r, struct xfs_sb *sb)
{
	bool flag = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_META_UUID);
	struct claim c = { .r = r };
	uint8_t rival[16] = { 0 }, buf[XFS_BBSIZE];
	uint64_t votes = 0;

	if (!xfs_sb_is_v5(sb) || xfs_geometry_init(&c.geo, sb, NULL, NULL))
		return;
	for (uint64_t i = 0; i < 2 * (uint64_t)sb->agcount; i++) {
		const struct head *h = read_head(&c, (uint32_t)(i / 2), i % 2 ? AGI : AGF, buf, sizeof(buf));

		if (!h)
			continue;
		if (!memcmp(buf + h->uuid, flag ? sb->meta_uuid : sb->uuid, 16))
			return;		/* somebody confirms it */
		if (votes && memcmp(buf + h->uuid, rival, 16))
			continue;
		memcpy(rival, buf + h->uuid, 16);
		votes++;
	}
	if (votes > sb->agcount)
		set_metadata_uuid(sb, rival);
}

bool repair_sb_headers_agree(struct repair *r, const struct xfs_sb *sb)
{
	struct claim c = { .r = r };
	uint8_t buf[XFS_BBSIZE];
	uint64_t n = 0;

	if (xfs_geometry_init(&c.geo, sb, NULL, NULL))
		return false;
	for (uint32_t agno = 0; agno < sb->agcount; agno++) {
		const struct head *h = read_head(&c, agno, AGF, buf, sizeof(buf));

		n += h && xfs_be32(buf + h->seqno) == agno &&
		xfs_be32(buf + h->length) == xfs_ag_length(&c.geo, XFS_AGNO(agno));
	}
	return 2 * n > sb->agcount;
}

/* Headers of the second AG lie behind a first one of so many blocks. */
static bool has_second(struct claim *c, uint32_t length)
{
	uint64_t base = (uint64_t)length * c->geo.blocksize;
	uint8_t buf[XFS_BBSIZE];

	for (unsigned sector = AGF; sector <= AGI; sector++)
		if (read_at(c, base + (uint64_t)sector * c->geo.sectsize, buf, sizeof(buf)) &&
		    xfs_be32(buf) == heads[sector].magic && xfs_be32(buf + heads[sector].seqno) == 1)
			return true;
	return false;
}

/* V5: checksums confirm what both say. V4: both say the same, or the second AG lies where one of them says. */
bool repair_sb_headers_deny(struct repair *r, const struct xfs_sb *sb)
{
	struct claim c = { .r = r };
	uint8_t buf[REPAIR_MAX_SECTOR];
	uint32_t length[AGI + 1] = { 0 };
	unsigned n = 0;

	if (xfs_geometry_init(&c.geo, sb, NULL, NULL))
		return false;
	for (unsigned sector = AGF; sector <= AGI; sector++) {
		const struct head *h = read_head(&c, 0, sector, buf, sb->sectsize);

		if (!h || xfs_be32(buf + h->seqno) || (c.geo.v5 && !xfs_crc32c_check(buf, sb->sectsize, h->crc)))
			continue;
		if (xfs_be32(buf + h->length) == xfs_ag_length(&c.geo, XFS_AGNO(0)))
			continue;
		length[sector] = xfs_be32(buf + h->length);
		n++;
	}
	if (n == 2 && (c.geo.v5 || length[AGF] == length[AGI]))
		return true;
	return !c.geo.v5 && ((length[AGF] && has_second(&c, length[AGF])) ||
			     (length[AGI] && has_second(&c, length[AGI])));
}

uint64_t repair_sb_first_length(struct repair *r)
{
	struct claim c = { .r = r };
	uint8_t buf[XFS_BBSIZE];

	for (uint64_t off = 512; off <= REPAIR_MAX_SECTOR; off *= 2)
		if (read_at(&c, off, buf, sizeof(buf)) && xfs_be32(buf) == heads[AGF].magic &&
		    !xfs_be32(buf + heads[AGF].seqno))
			return xfs_be32(buf + heads[AGF].length);
	return 0;
}

/* ---- points ---- */

/* Points of one header: it is where it should be, and says the same of itself. */
static unsigned ask_header(struct claim *c, uint32_t agno, unsigned sector, uint8_t *buf)
{
	const struct head *h = read_head(c, agno, sector, buf, c->geo.sectsize);
	unsigned points;

	if (!h || xfs_be32(buf + h->seqno) != agno)
		return 0;
	points = 1 + (xfs_be32(buf + h->length) == xfs_ag_length(&c->geo, XFS_AGNO(agno)));
	if (c->geo.v5)
		points += xfs_crc32c_check(buf, c->geo.sectsize, h->crc) + 2u * !memcmp(buf + h->uuid, c->geo.uuid, 16);
	return points;
}

static unsigned ask_ag(struct claim *c, uint32_t agno, uint8_t *buf)
{
	unsigned points = ask_header(c, agno, AGF, buf), by_agi;
	struct xfs_agf agf;
	struct xfs_agi agi;

	if (points) {
		xfs_agf_decode(&agf, buf);
		points += has_magic(c, agno, agf.bnoroot, c->geo.v5 ? XFS_BNOBT_MAGIC : XFS_BNOBT_MAGIC_V4);
		points += has_magic(c, agno, agf.rmaproot, XFS_RMAPBT_MAGIC) == c->geo.rmapbt;
		points += has_magic(c, agno, agf.refcntroot, XFS_REFCBT_MAGIC) == c->geo.reflink;
	}
	by_agi = ask_header(c, agno, AGI, buf);
	if (by_agi) {
		xfs_agi_decode(&agi, buf);
		points += by_agi;
		points += has_magic(c, agno, agi.free_root, c->geo.v5 ? XFS_FINOBT_MAGIC :
				    XFS_FINOBT_MAGIC_V4) == c->geo.finobt;
		points += c->geo.inobtcnt == (c->geo.v5 && agi.ino_blocks);
	}
	return points;
}

/*
 * Each sector of a log starts with the number of the pass that wrote it, or with a record; nothing else lies before its
 * end. Pieces all over it are looked at.
 */
static bool is_log_throughout(struct claim *c, uint32_t cycle, uint8_t *buf)
{
	uint64_t len = (uint64_t)c->sb->logblocks * c->geo.blocksize,
		 start = xfs_fsbno_byte(&c->geo, XFS_FSBNO(c->sb->logstart));
	uint64_t step = xfs_round_up(xfs_max(len / LOG_PIECES, LOG_BYTES), XFS_BBSIZE);

	for (uint64_t from = 0; from < len; from += step) {
		uint64_t part = xfs_min(LOG_BYTES, len - from);

		if (!read_at(c, start + from, buf, part))
			return false;
		for (uint64_t at = 0; at + XFS_BBSIZE <= part; at += XFS_BBSIZE) {
			uint32_t word = xfs_be32(buf + at);

			if (word && word != XFS_LOG_MAGIC && word + 1 != cycle && word != cycle && word != cycle + 1)
				return false;
		}
	}
	return true;
}

/*
 * Records of the log start where the superblock says, carry its uuid, and
 * nothing else lies among them; or it was given.
 */
static unsigned ask_log(struct claim *c)
{
	uint64_t len = xfs_min(LOG_BYTES, (uint64_t)c->sb->logblocks * c->geo.blocksize);
	unsigned points = 0;
	uint8_t *buf;

	if (!c->sb->logstart)
		return c->r->dev.log ? 4 : 0;
	buf = malloc(LOG_BYTES);
	if (buf && read_at(c, xfs_fsbno_byte(&c->geo, XFS_FSBNO(c->sb->logstart)), buf, len))
		for (size_t at = 0; at + XFS_BBSIZE <= len && !points; at += XFS_BBSIZE) {
			const uint8_t *record = buf + at;

			if (xfs_be32(record) != XFS_LOG_MAGIC)
				continue;
			points = 4 + 2u * !memcmp(record + XFS_OFF(log_rec, fs_uuid), c->sb->uuid, 16);
			points += 2u * is_log_throughout(c, xfs_be32(record + XFS_OFF(log_rec, cycle)), buf);
		}
	free(buf);
	return points;
}

/* Every block of the directory starts with its magic number: at the size of directory blocks, and nowhere between. */
static bool is_dir_throughout(const struct claim *c, const uint8_t *buf, uint64_t len)
{
	const uint32_t magics[] = { c->geo.v5 ? XFS_DIR3_DATA_MAGIC : XFS_DIR2_DATA_MAGIC,
				    c->geo.v5 ? XFS_DIR3_BLOCK_MAGIC : XFS_DIR2_BLOCK_MAGIC };

	for (uint64_t at = 0; at < len; at += c->geo.blocksize) {
		uint32_t word = xfs_be32(buf + at);

		if ((word == magics[0] || word == magics[1]) != (at % c->geo.dirblksize == 0))
			return false;
	}
	return true;
}

/* Entries have another length without file types: then they do not follow each other, and their tags are elsewhere. */
static bool has_entries_throughout(const struct claim *c, const uint8_t *block)
{
	uint32_t end = xfs_dir_data_end(block, c->geo.v5, c->geo.dirblksize), off = xfs_dir_data_header_len(c->geo.v5);
	struct xfs_dir_item item;
	int more;

	while ((more = xfs_dir_data_next(&c->geo, block, end, &off, &item)) == 1)
		if (item.tag != item.off || (item.used && xfs_dir_entry_problem(&c->geo, &item)))
			return false;
	return !more;
}

static bool is_short_dir(const struct claim *c, const uint8_t *fork, uint64_t size)
{
	struct xfs_dir_item item;
	struct xfs_dir_sf sf;
	int more;

	if (size > c->geo.inodesize - XFS_DINODE_SIZE_V3 || xfs_dir_sf_start(&sf, fork, (uint32_t)size))
		return false;
	while ((more = xfs_dir_sf_next(&c->geo, &sf, &item)) == 1)
		if (xfs_dir_entry_problem(&c->geo, &item))
			return false;
	return !more && sf.at == size;
}

/* A directory in blocks of its own: they are whole only when the size of directory blocks is right. */
static unsigned ask_dir_blocks(struct claim *c, const struct xfs_dinode *d, const uint8_t *fork)
{
	struct xfs_bmbt_rec rec;
	unsigned points = 0;
	uint64_t len;
	uint8_t *buf;

	xfs_bmbt_rec_decode(&rec, fork);
	if (rec.startoff || rec.blockcount < c->geo.dirblkfsbs || d->core.size % c->geo.dirblksize ||
	    !xfs_fsbno_range_valid(&c->geo, rec.startblock, rec.blockcount))
		return 0;
	len = xfs_min(xfs_min(rec.blockcount * (uint64_t)c->geo.blocksize, d->core.size), DIR_BYTES);
	len = xfs_max(len - len % c->geo.dirblksize, (uint64_t)c->geo.dirblksize);
	buf = malloc(len);
	if (buf && read_at(c, xfs_fsbno_byte(&c->geo, XFS_FSBNO(rec.startblock)), buf, len)) {
		points = is_dir_throughout(c, buf, len);
		points += points && has_entries_throughout(c, buf);
		points += 2u * (c->geo.v5 && xfs_crc32c_check(buf, c->geo.dirblksize, XFS_OFF(dir_blkhdr, crc)));
	}
	free(buf);
	return points;
}

static unsigned ask_inode(struct claim *c, const uint8_t *raw, uint64_t ino)
{
	struct xfs_dinode d;
	unsigned points;

	xfs_dinode_decode(&d, raw);
	if (d.core.magic != XFS_DINODE_MAGIC)
		return 0;
	points = 1;
	if ((d.core.mode & XFS_MODE_FMT) == XFS_MODE_DIR && d.core.format == XFS_DINODE_FMT_LOCAL)
		points += is_short_dir(c, raw + xfs_dinode_literal_off((unsigned)d.core.version), d.core.size);
	if ((d.core.mode & XFS_MODE_FMT) == XFS_MODE_DIR && d.core.format == XFS_DINODE_FMT_EXTENTS)
		points += ask_dir_blocks(c, &d, raw + xfs_dinode_literal_off((unsigned)d.core.version));
	if (!c->geo.v5)
		return points;
	if (d.v3.inumber != ino)
		return 0;
	points += xfs_crc32c_check(raw, c->geo.inodesize, XFS_OFF(dinode_v3, crc));
	/* a bit that is set needs its feature */
	points += c->geo.bigtime || !(d.v3.flags2 & XFS_DIFLAG2_BIGTIME);
	points += c->geo.nrext64 || !(d.v3.flags2 & XFS_DIFLAG2_NREXT64);
	return points;
}

/* The inodes of the first chunk. */
static unsigned ask_inodes(struct claim *c)
{
	uint64_t root = repair_expected_root(&c->geo), len = (uint64_t)XFS_INODES_PER_CHUNK * c->geo.inodesize;
	uint8_t *buf = malloc(len);
	unsigned points = 0;

	if (buf && read_at(c, xfs_ino_byte(&c->geo, XFS_INO(root)), buf, len))
		for (unsigned i = 0; i < XFS_INODES_PER_CHUNK; i++)
			points += ask_inode(c, buf + (size_t)i * c->geo.inodesize, root + i);
	free(buf);
	return points;
}

unsigned repair_sb_evidence(struct repair *r, const struct xfs_sb *sb)
{
	struct claim c = { .r = r, .sb = sb };
	unsigned points = 0;
	uint64_t step;
	uint8_t *buf;

	if (xfs_geometry_init(&c.geo, sb, NULL, NULL))
		return 0;
	buf = malloc(c.geo.sectsize);
	if (!buf)
		return 0;
	step = xfs_ceil_div(sb->agcount, MOST_AGS);
	for (uint64_t agno = 0; agno < sb->agcount; agno += step)
		points += ask_ag(&c, (uint32_t)agno, buf);
	free(buf);
	return points + ask_log(&c) + ask_inodes(&c) + repair_sb_group_evidence(r, sb);
}

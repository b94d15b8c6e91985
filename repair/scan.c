/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.c - reads inode chunks in batches: one vectored read for about a megabyte of inodes. */
#include "repair/evidence.h"
#include "repair/lanes.h"
#include "repair/realtime.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/inode/inode.h"

#include <stdlib.h>
#include <string.h>

#define VERSION XFS_OFF(dinode_core, version)	/* a byte */
#define BATCH_BYTES (1u << 20)
#define FOUND_AGAIN (UINT64_C(1) << 63)	/* in r->lost: not lost any more; no inode number is that large */

static uint64_t chunk_byte(const struct repair *r, const struct repair_ag *ag, const struct xfs_inode_chunk *c)
{
	return xfs_ino_byte(&r->geo, xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(c->startino)));
}

static void note_unreadable(struct repair *r, const struct repair_ag *ag, const struct xfs_inode_chunk *c)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_BLOCK_IO, "inode");

	f.agno = ag->agno.v;
	f.agbno = c->startino >> r->geo.inopblog;
	repair_note(r, &f, false);
}

/* Is this an inode of this filesystem at this place?  On V4 only magic and version tell. */
bool repair_is_inode(const struct repair *r, const uint8_t *image, uint64_t ino)
{
	if (xfs_be16(image) != XFS_DINODE_MAGIC)
		return false;
	if (!r->geo.v5)
		return image[VERSION] == 1 || image[VERSION] == 2;
	return image[VERSION] == 3 && xfs_be64(image + XFS_OFF(dinode_v3, inumber)) == ino &&
	       !memcmp(image + XFS_OFF(dinode_v3, uuid), r->geo.uuid, 16);
}

/* The inode of that number has the same generation and forks. */
static bool is_copy_of(struct repair *r, uint64_t ino, const uint8_t *image)
{
	uint8_t other[XFS_DINODE_MAX_SIZE];

	return xfs_ino_valid(&r->geo, XFS_INO(ino)) &&
	       !xfs_dev_read(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(ino)), other, r->geo.inodesize) &&
	       repair_is_inode(r, other, ino) &&
	       !memcmp(other + XFS_OFF(dinode_core, gen), image + XFS_OFF(dinode_core, gen), 4) &&
	       !memcmp(other + XFS_DINODE_SIZE_V3, image + XFS_DINODE_SIZE_V3, r->geo.inodesize - XFS_DINODE_SIZE_V3);
}

/*
 * Magic, version, number and uuid say who an inode is.  Its place and the superblock know all of it, so what is wrong
 * of it is made right in memory, when the rest suffices: 16 bytes of uuid do not come about by chance, nor do magic and
 * number together.  A right checksum with another number may be different: a good inode that was written here, too.
 */
static void identify(struct repair *r, struct repair_seen *s, uint8_t *image)
{
	struct xfs_dinode *d = &s->d;
	bool magic = d->core.magic == XFS_DINODE_MAGIC, version = d->core.version == 3;
	uint64_t own = xfs_be64(image + XFS_OFF(dinode_v3, inumber));
	bool number = own == s->ino, uuid = !memcmp(image + XFS_OFF(dinode_v3, uuid), r->geo.uuid, 16);

	s->identified = magic && version && number && uuid;
	if (s->identified || (!uuid && !(magic && number)) || magic + version + number < 1)
		return;
	if (s->whole && !number && is_copy_of(r, own, image))
		return;
	if (!magic)
		repair_add_fix(s, XFS_F_BLOCK_MAGIC, "magic", d->core.magic, XFS_DINODE_MAGIC);
	if (!version)
		repair_add_fix(s, XFS_F_INODE_FIELD, "version", (uint8_t)d->core.version, 3);
	if (!number)
		repair_add_fix(s, XFS_F_BLOCK_OWNER, "inumber", own, s->ino);
	if (!uuid)
		repair_add_fix(s, XFS_F_BLOCK_UUID, "uuid", XFS_NULL64, XFS_NULL64);
	xfs_put_be16(image, XFS_DINODE_MAGIC);
	image[VERSION] = 3;
	xfs_put_be64(image + XFS_OFF(dinode_v3, inumber), s->ino);
	memcpy(image + XFS_OFF(dinode_v3, uuid), r->geo.uuid, 16);
	xfs_dinode_decode(d, image);
	s->identified = true;
}

/* V4: magic and version alone. One of them may be wrong when the other, the mode and the format make sense. */
static void identify_v4(struct repair_seen *s, uint8_t *image)
{
	struct xfs_dinode *d = &s->d;
	bool magic = d->core.magic == XFS_DINODE_MAGIC, version = d->core.version == 1 || d->core.version == 2;

	s->identified = magic && version;
	if (s->identified || (!magic && !version) || !xfs_mode_ftype(d->core.mode) ||
	    d->core.format > XFS_DINODE_FMT_BTREE)
		return;
	if (!magic)
		repair_add_fix(s, XFS_F_BLOCK_MAGIC, "magic", d->core.magic, XFS_DINODE_MAGIC);
	else
		repair_add_fix(s, XFS_F_INODE_FIELD, "version", (uint8_t)d->core.version, 2);
	xfs_put_be16(image, XFS_DINODE_MAGIC);
	image[VERSION] = version ? image[VERSION] : 2;
	xfs_dinode_decode(d, image);
	s->identified = true;
}

/* One bit that makes the checksum right, and then the inode is one of this place. */
static void flip_back(struct repair *r, struct repair_seen *s, uint8_t *image)
{
	size_t byte;
	unsigned bit;

	if (!xfs_crc32c_find_flip(image, r->geo.inodesize, XFS_DINODE_CRC_OFF, &byte, &bit))
		return;
	image[byte] ^= (uint8_t)(1u << bit);
	if (!repair_is_inode(r, image, s->ino)) {
		image[byte] ^= (uint8_t)(1u << bit);
		return;
	}
	s->mended = true;
	repair_add_fix(s, XFS_F_BLOCK_BITFLIP, "byte", byte, XFS_NULL64);
}

/* From bytes to what all passes see; `decided`: whose bytes take the place of those on disk, or NULL. */
static void look_at(struct repair *r, struct repair_seen *s, uint8_t *image, const struct repair_inode *decided)
{
	s->image = image;
	s->whole = true;
	s->replaced = decided != NULL;
	if (decided)
		repair_copy_image(r, decided, image);
	else if (r->geo.v5)
		s->whole = xfs_crc32c_check(image, r->geo.inodesize, XFS_DINODE_CRC_OFF);
	if (!s->whole)
		flip_back(r, s, image);
	xfs_dinode_decode(&s->d, image);
	if (decided)
		s->identified = true;
	else if (r->geo.v5)
		identify(r, s, image);
	else
		identify_v4(s, image);
	if (s->identified && !decided)
		repair_mend_core(r, s, image);
}

static const struct repair_inode *find_decided(struct repair *r, uint64_t ino)
{
	const struct repair_inode *c = r->ninodes ? repair_find_changed(r, ino) : NULL;

	return c && c->decided ? c : NULL;
}

static bool is_proven(const struct repair *r, const struct repair_ag *ag, const struct xfs_inode_chunk *c,
		      const uint8_t *bytes)
{
	for (unsigned i = 0; i < XFS_INODES_PER_CHUNK; i++)
		if (repair_is_inode(r, bytes + (size_t)i * r->geo.inodesize,
				    xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(c->startino + i)).v))
			return true;
	return false;
}

static int visit_chunk(struct repair *r, struct repair_ag *ag, struct xfs_inode_chunk *c, uint8_t *bytes,
		       repair_inode_fn seen, void *payload)
{
	bool proven = is_proven(r, ag, c, bytes);

	for (unsigned i = 0; i < XFS_INODES_PER_CHUNK; i++) {
		struct repair_seen s = { .ag = ag, .chunk = c, .index = i,
					 .image = bytes + (size_t)i * r->geo.inodesize, .proven = proven };
		int error;

		if (c->holemask >> (i / 4) & 1)
			continue;
		s.ino = xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(c->startino + i)).v;
		s.free = c->free >> i & 1;
		look_at(r, &s, bytes + (size_t)i * r->geo.inodesize, find_decided(r, s.ino));
		error = seen(payload, &s);
		if (error)
			return error;
	}
	return 0;
}

static uint64_t count_scanned(struct repair *r, uint64_t more)
{
	return r->lane ? repair_lane_scanned(r, more) : (r->scanned += more);
}

int repair_scan_ag_inodes(struct repair *r, struct repair_ag *ag, repair_inode_fn seen, void *payload)
{
	size_t size = (size_t)XFS_INODES_PER_CHUNK * r->geo.inodesize, batch = BATCH_BYTES / size;
	uint8_t *bytes = malloc(batch * size);
	struct xfs_iovec *v = calloc(batch, sizeof(*v));
	int error = bytes && v ? 0 : -XFS_E_NOMEM;

	for (size_t i = 0; i < ag->nchunks && !error; i += batch) {
		size_t n = ag->nchunks - i < batch ? ag->nchunks - i : batch;

		if (!r->looking)
			repair_step(r, "inodes", count_scanned(r, n * XFS_INODES_PER_CHUNK), r->primary.icount);
		for (size_t k = 0; k < n; k++)
			v[k] = (struct xfs_iovec){ chunk_byte(r, ag, &ag->chunks[i + k]), size, bytes + k * size, 0 };
		xfs_dev_readv(r->dev.data, v, n);	/* each vector says for itself */
		if (r->ahead)
			repair_read_ahead(r, bytes, n * XFS_INODES_PER_CHUNK);
		for (size_t k = 0; k < n && !error; k++) {
			if (v[k].error && !r->looking)
				note_unreadable(r, ag, &ag->chunks[i + k]);
			error = visit_chunk(r, ag, &ag->chunks[i + k], bytes + k * size, seen, payload);
		}
		repair_lane_rest(r);
	}
	repair_rt_flag_done(ag);
	free(v);
	free(bytes);
	return error;
}

int repair_read_inode(struct repair *r, uint64_t ino, uint8_t *image, struct xfs_dinode *d)
{
	int error = xfs_dev_read(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(ino)), image, r->geo.inodesize);
	struct repair_seen s = { .ino = ino };

	if (error)
		return error;
	look_at(r, &s, image, find_decided(r, ino));
	*d = s.d;
	return 0;
}

struct xfs_inode_chunk *repair_chunk_of(const struct repair_ag *ag, uint32_t agino, unsigned *index)
{
	size_t lo = xfs_search(ag->nchunks, i, ag->chunks[i].startino + (XFS_INODES_PER_CHUNK - 1) < agino);

	if (lo == ag->nchunks || ag->chunks[lo].startino > agino)
		return NULL;
	if (index)
		*index = agino - ag->chunks[lo].startino;
	return &ag->chunks[lo];
}

int repair_each_ag(struct repair *r, int (*job)(void *payload, size_t agno), void *payload)
{
	for (uint32_t agno = 0; agno < r->geo.agcount; agno++) {
		int error;

		if (!r->looking)
			repair_step(r, "allocation groups", agno, r->geo.agcount);
		error = job(payload, agno);
		if (error)
			return error;
	}
	return 0;
}

/* Where it stands in the list, or would. */
static size_t place_of_lost(const struct repair *r, uint64_t ino)
{
	return xfs_search(r->nlost, i, (r->lost[i] & ~FOUND_AGAIN) < ino);
}

int repair_add_lost(struct repair *r, uint64_t ino)
{
	size_t at = place_of_lost(r, ino);

	if (at < r->nlost && (r->lost[at] & ~FOUND_AGAIN) == ino) {
		r->lost[at] = ino;
		return 0;
	}
	if (xfs_grow(&r->lost, r->nlost, &r->lost_room, 64))
		return -XFS_E_NOMEM;
	/* the scan goes upwards, so this is at the end as a rule */
	memmove(&r->lost[at + 1], &r->lost[at], (r->nlost++ - at) * sizeof(*r->lost));
	r->lost[at] = ino;
	return 0;
}

bool repair_is_lost(const struct repair *r, uint64_t ino)
{
	size_t at = place_of_lost(r, ino);

	return at < r->nlost && r->lost[at] == ino;
}

void repair_drop_lost(struct repair *r, uint64_t ino)
{
	if (repair_is_lost(r, ino))
		r->lost[place_of_lost(r, ino)] |= FOUND_AGAIN;
}

void repair_settle_lost(struct repair *r)
{
	size_t keep = 0;

	for (size_t i = 0; i < r->nlost; i++)
		if (!(r->lost[i] & FOUND_AGAIN))
			r->lost[keep++] = r->lost[i];
	r->nlost = keep;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.c - reads inode chunks in batches: one vectored read for about a megabyte of inodes. */
#include "repair/scan.h"

#include <stdlib.h>

#define BATCH_BYTES (1u << 20)

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

static int visit_chunk(struct repair *r, struct repair_ag *ag, struct xfs_inode_chunk *c, const uint8_t *bytes,
		       repair_inode_fn seen, void *payload)
{
	for (unsigned i = 0; i < XFS_INODES_PER_CHUNK; i++) {
		struct repair_seen s = { .ag = ag, .chunk = c, .index = i, .image = bytes + (size_t)i * r->geo.inodesize };
		int error;

		if (c->holemask >> (i / 4) & 1)
			continue;
		s.ino = xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(c->startino + i)).v;
		s.free = c->free >> i & 1;
		xfs_dinode_decode(&s.d, s.image);
		error = seen(payload, &s);
		if (error)
			return error;
	}
	return 0;
}

int repair_scan_ag_inodes(struct repair *r, struct repair_ag *ag, repair_inode_fn seen, void *payload)
{
	size_t size = (size_t)XFS_INODES_PER_CHUNK * r->geo.inodesize, batch = BATCH_BYTES / size;
	uint8_t *bytes = malloc(batch * size);
	struct xfs_iovec *v = calloc(batch, sizeof(*v));
	int error = bytes && v ? 0 : -XFS_E_NOMEM;

	for (size_t i = 0; i < ag->nchunks && !error; i += batch) {
		size_t n = ag->nchunks - i < batch ? ag->nchunks - i : batch;

		for (size_t k = 0; k < n; k++)
			v[k] = (struct xfs_iovec){ chunk_byte(r, ag, &ag->chunks[i + k]), size, bytes + k * size, 0 };
		xfs_dev_readv(r->dev.data, v, n);	/* each vector says for itself */
		for (size_t k = 0; k < n && !error; k++) {
			if (v[k].error && !r->looking)
				note_unreadable(r, ag, &ag->chunks[i + k]);
			error = visit_chunk(r, ag, &ag->chunks[i + k], bytes + k * size, seen, payload);
		}
	}
	free(v);
	free(bytes);
	return error;
}

int repair_read_inode(struct repair *r, uint64_t ino, uint8_t *image, struct xfs_dinode *d)
{
	int error = xfs_dev_read(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(ino)), image, r->geo.inodesize);

	if (!error)
		xfs_dinode_decode(d, image);
	return error;
}

int repair_each_ag(struct repair *r, int (*job)(void *payload, size_t agno), void *payload)
{
	for (uint32_t agno = 0; agno < r->geo.agcount; agno++) {
		int error = job(payload, agno);

		if (error)
			return error;
	}
	return 0;
}

int repair_add_lost(struct repair *r, uint64_t ino)
{
	if (r->nlost == r->lost_room) {
		size_t room = r->lost_room ? 2 * r->lost_room : 64;
		uint64_t *grown = realloc(r->lost, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		r->lost = grown;
		r->lost_room = room;
	}
	r->lost[r->nlost++] = ino;	/* the scan goes upwards */
	return 0;
}

bool repair_is_lost(const struct repair *r, uint64_t ino)
{
	size_t lo = 0, hi = r->nlost;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->lost[mid] < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->nlost && r->lost[lo] == ino;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rmap.h - changing and asking reverse mappings: who owns which blocks (format sheet 02, section 4).
 *
 * Works on any instance of an rmapbt (or rtrmapbt) and knows nothing else: free list and AGF are the owner's
 * (agspace.h).  Mappings are struct xfs_claim, the native record.  Records stay canonical: what continues its neighbour
 * in blocks, owner, flags and offset is one record with it.
 *
 * Two variants of each change: `shared` for the data fork of an inode that has the reflink flag, whose blocks may have
 * records of other owners on top of them, so that neighbours in the tree say nothing and keys only change by delete and
 * insert; plain for all else.
 *
 * Errors of all: INVALID (claim that no record may say; changed nothing), CORRUPT (the tree contradicts the request:
 * blocks mapped already, not mapped, or by somebody else; or a damaged record), and those of the engine.  After an
 * error some of the steps may have been made: the caller puts all back.  Layer: space.
 */
#ifndef XFS_SPACE_RMAP_H
#define XFS_SPACE_RMAP_H

#include "libxfs/btree/btree.h"
#include "libxfs/space/claims.h"

/* Sections 4.6 and 4.8. */
int xfs_rmap_map(struct xfs_btree *, const struct xfs_claim *, bool shared);
/*
 * Sections 4.7 and 4.8.  Owner XFS_OWN_NULL: only makes sure that the last mapping before or at agbno ends there;
 * XFS_OWN_UNKNOWN: whoever has the range, in one record; nothing mapped there is fine then.  Both are plain.
 */
int xfs_rmap_unmap(struct xfs_btree *, const struct xfs_claim *, bool shared);
/* Section 4.9: unwritten data of a file become written or the other way round; the claim's flag is the state before. */
int xfs_rmap_convert(struct xfs_btree *, const struct xfs_claim *, bool shared);

/* ---- questions (section 4.11); they need no space ---- */
enum xfs_rmap_coverage { XFS_RMAP_EMPTY, XFS_RMAP_SPARSE, XFS_RMAP_FULL };
/* Are the blocks mapped: none, some, all? */
int xfs_rmap_has_records(struct xfs_btree *, uint32_t agbno, uint32_t len, enum xfs_rmap_coverage *out);

struct xfs_rmap_owners {
	uint64_t matches;	/* records that, cut to the range, say exactly what was asked; the state is ignored */
	uint64_t others;
	uint64_t bad;		/* others that can't be there together with the one asked for; 0 without a match */
};
int xfs_rmap_count_owners(struct xfs_btree *, const struct xfs_claim *, bool reflink, struct xfs_rmap_owners *out);
/* Does anybody else have some of the blocks? Stops at the first. */
int xfs_rmap_has_others(struct xfs_btree *, const struct xfs_claim *, bool *out);
/* Every record that meets the blocks, in key order. Nonzero from found() stops and is returned. */
int xfs_rmap_each(struct xfs_btree *, uint32_t agbno, uint32_t len,
		  int (*found)(void *payload, const struct xfs_claim *), void *payload);

/* A record in native form; CORRUPT when no record may say that (section 4.5, as far as one record tells). */
int xfs_rmap_decode(const struct xfs_btree *, const void *rec, struct xfs_claim *);
void xfs_rmap_encode(void *rec, const struct xfs_claim *);

#endif

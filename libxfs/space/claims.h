/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims.h - who owns which blocks: the one currency of mkfs, populate and repair.
 *
 * A claim is a native rmap record (format sheet 02, section 4).  mkfs claims a fresh filesystem, repair claims what it
 * found credible; both allocate from the same map; libxfs/build turns claims into the trees of an AG.
 *
 * Life: add in any order (different AGs from different threads at once; one AG belongs to one thread at a time) ->
 * xfs_claims_seal() per AG: sorted and merged canonically (4.5) -> read, allocate, add more, give back.  What is added
 * after the seal is folded in before the next read, so readers always see canonical records in key order.
 * Avoided blocks are free in the result but never handed out: old metadata that must survive until the switch.
 *
 * Memory: about `memory` bytes of claims for all AGs together, then sorted runs spill to an unlinked temporary file
 * (an AG with spilled runs stays on file after its seal).  An AG may hold CLAIMS_SPILL_MIN claims beyond that.
 * The map of free extents that alloc() needs, and what each_shared() has open, come on top.
 * Callbacks must not call functions of the same AG.  Layer: space.
 */
#ifndef XFS_SPACE_CLAIMS_H
#define XFS_SPACE_CLAIMS_H

#include "libxfs/base/types.h"
#include "libxfs/mount/geometry.h"

struct xfs_claim {
	uint32_t agbno, len;	/* blocks */
	uint64_t owner;		/* inode number or XFS_OWN_* */
	uint64_t offset;	/* file offset in blocks with XFS_RMAP_ATTR, _BMBT, _UNWRITTEN bits, as on disk */
};

/* A record of an rmapbt. */
XFS_INLINE struct xfs_claim xfs_claim_decode(const void *rec)
{
	return (struct xfs_claim){
		.agbno = xfs_rmap_rec_get_startblock(rec), .len = xfs_rmap_rec_get_blockcount(rec),
		.owner = xfs_rmap_rec_get_owner(rec),
		.offset = xfs_be64((const uint8_t *)rec + XFS_OFF(rmap_rec, attrfork)),
	};
}

struct xfs_claims;
/* `tmpdir` NULL: TMPDIR or /tmp. The geometry must live as long as the claims. Errors: NOMEM. */
int xfs_claims_new(struct xfs_claims **out, const struct xfs_geometry *, size_t memory, const char *tmpdir);
void xfs_claims_free(struct xfs_claims *);
/*
 * RANGE when it lies outside the AG or len is 0; INVALID when owner, offset and flags contradict each other (format
 * sheet 02, section 4.5).  Overlap with other claims is accepted: each_conflict() tells.
 */
int xfs_claims_add(struct xfs_claims *, xfs_agno_t, const struct xfs_claim *);
/* Errors: NOMEM, IO (temporary file). Sealing again is harmless. */
int xfs_claims_seal(struct xfs_claims *, xfs_agno_t);

/*
 * Everything below needs a sealed AG (else INVALID) and may fail with NOMEM or IO.
 * In key order: block, owner, offset word without the unwritten bit. Nonzero from found() stops and is returned.
 */
int xfs_claims_each(struct xfs_claims *, xfs_agno_t, int (*found)(void *payload, const struct xfs_claim *),
		    void *payload);
int xfs_claims_count(struct xfs_claims *, xfs_agno_t, uint64_t *count);
/* The same by pull. next(): 0, NOENT at the end, IO. The AG must not change between open and close. */
struct xfs_claims_reader;
int xfs_claims_reader_open(struct xfs_claims_reader **out, struct xfs_claims *, xfs_agno_t);
int xfs_claims_reader_next(struct xfs_claims_reader *, struct xfs_claim *);
void xfs_claims_reader_close(struct xfs_claims_reader *);

/* Runs of blocks that nobody claims (avoided ones included), ascending. */
int xfs_claims_each_free(struct xfs_claims *, xfs_agno_t, int (*found)(void *payload, uint32_t agbno, uint32_t len),
			 void *payload);
int xfs_claims_free_blocks(struct xfs_claims *, xfs_agno_t, uint64_t *blocks);
/*
 * Shared runs: (agbno, len, owners >= 2) where shareable claims overlap (format sheet 02, section 5.4), runs of equal
 * count merged, ascending.  Shareable: owned by an inode, no flag set.
 */
int xfs_claims_each_shared(struct xfs_claims *, xfs_agno_t,
			   int (*found)(void *payload, uint32_t agbno, uint32_t len, uint32_t refs), void *payload);
/*
 * Claims that overlap though one of them may not be shared (without reflink: none may), or that have one key.
 * Each claim `b` that begins inside such a claim is reported once, with the `a` that reaches furthest.
 * may_share() is asked about claims that overlap others and look as if they may; NULL: they may.
 */
int xfs_claims_each_conflict(struct xfs_claims *, xfs_agno_t,
			     int (*found)(void *payload, const struct xfs_claim *a, const struct xfs_claim *b),
			     bool (*may_share)(void *payload, const struct xfs_claim *), void *payload);

/*
 * First fit from `near` on (wraps): `len` contiguous blocks that are free, not avoided and above the AGFL block become
 * claimed.  Errors: NOSPC, INVALID as for add().
 */
int xfs_claims_alloc(struct xfs_claims *, xfs_agno_t, uint32_t near, uint32_t len, uint64_t owner, uint64_t offset,
		     uint32_t *agbno);
/*
 * Gives claimed blocks back: all claims of `owner` on the range are cut.  INVALID when some block of the range is not
 * claimed by `owner`; nothing has changed then.
 */
int xfs_claims_release(struct xfs_claims *, xfs_agno_t, uint32_t agbno, uint32_t len, uint64_t owner);
/* alloc() will not hand out these blocks although nobody claims them; before or after the seal. RANGE, NOMEM. */
int xfs_claims_avoid(struct xfs_claims *, xfs_agno_t, uint32_t agbno, uint32_t len);
/* Forgets the avoided blocks of the AG. */
void xfs_claims_unavoid(struct xfs_claims *, xfs_agno_t);
/* Avoided ranges, ascending, merged; they may overlap claims. */
int xfs_claims_each_avoided(struct xfs_claims *, xfs_agno_t, int (*found)(void *payload, uint32_t agbno, uint32_t len),
			    void *payload);

XFS_INLINE bool xfs_claim_shareable(const struct xfs_claim *c)
{
	return !xfs_owner_is_special(c->owner) && !(c->offset & XFS_RMAP_FLAGS);
}
/* The claim's offset says nothing: special owners and bmbt blocks. */
XFS_INLINE bool xfs_claim_no_offset(const struct xfs_claim *c)
{
	return xfs_owner_is_special(c->owner) || c->offset & XFS_RMAP_BMBT;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* agheaders.c - tables of the AG headers. */
#include "libxfs/ondisk/agheaders.h"

static size_t agi_buckets(const struct xfs_ctx *c, size_t off)
{
	(void)c;
	(void)off;
	return XFS_AGI_BUCKETS;
}

static size_t agi_bucket_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	return off + XFS_AGI_UNLINKED_OFF + 4 * k;
}

static bool agfl_v5(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return c->v5;
}

static size_t agfl_slots(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return xfs_agfl_size(c->v5, c->sectsize);
}

static size_t agfl_slot_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_agfl_slot_off(c->v5, k);
}

XFS_STRUCT_DEFINE(agf, XFS_AGF_ROWS);
XFS_STRUCT_DEFINE(agi_bucket, XFS_AGI_BUCKET_ROWS);
XFS_STRUCT_DEFINE(agi, XFS_AGI_ROWS);
XFS_STRUCT_DEFINE(agfl_slot, XFS_AGFL_SLOT_ROWS);
XFS_STRUCT_DEFINE(agfl, XFS_AGFL_ROWS);

void xfs_agf_load(struct xfs_agf *f, bool v5, const uint8_t *sector)
{
	uint8_t raw[sizeof(struct xfs_agf_disk)] = { 0 };

	memcpy(raw, sector, v5 ? sizeof(raw) : XFS_AGF_SIZE_V4);
	xfs_agf_decode(f, raw);
}

uint32_t xfs_agf_store(uint8_t *sector, bool v5, const struct xfs_agf *f)
{
	uint32_t used = v5 ? sizeof(struct xfs_agf_disk) : XFS_AGF_SIZE_V4;
	uint8_t raw[sizeof(struct xfs_agf_disk)] = { 0 };

	memcpy(raw, sector, used);	/* holes between fields stay */
	xfs_agf_encode(raw, f);
	memcpy(sector, raw, used);
	return used;
}

void xfs_agi_load(struct xfs_agi *i, uint32_t *unlinked, bool v5, const uint8_t *sector)
{
	uint8_t raw[sizeof(struct xfs_agi_disk)] = { 0 };

	memcpy(raw, sector, v5 ? sizeof(raw) : XFS_AGI_SIZE_V4);
	xfs_agi_decode(i, raw);
	for (unsigned k = 0; k < XFS_AGI_BUCKETS; k++)
		unlinked[k] = xfs_be32(raw + XFS_AGI_UNLINKED_OFF + 4 * k);
}

uint32_t xfs_agi_store(uint8_t *sector, bool v5, const struct xfs_agi *i, const uint32_t *unlinked)
{
	uint32_t used = v5 ? sizeof(struct xfs_agi_disk) : XFS_AGI_SIZE_V4;
	uint8_t raw[sizeof(struct xfs_agi_disk)] = { 0 };

	memcpy(raw, sector, used);	/* holes between fields stay */
	xfs_agi_encode(raw, i);
	for (unsigned k = 0; k < XFS_AGI_BUCKETS; k++)
		xfs_put_be32(raw + XFS_AGI_UNLINKED_OFF + 4 * k, unlinked[k]);
	memcpy(sector, raw, used);
	return used;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* rtgeometry.c - size, extents and groups of a realtime section (format sheet 10, sections 2, 3.5, 6). */
#include "mkfs/geometry.h"

#include <inttypes.h>

#define RG_MAX UINT64_C(0x7fffffff)
#define MB (UINT64_C(1) << 20)
#define TB (UINT64_C(1) << 40)
#define ZONE_BYTES (256 * MB)
#define MIN_ZONES 5u
#define SPARE_ZONES 4u

int mkfs_compute_rt_extent(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			   struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize;
	int64_t size = bs < 4096 ? 4096 : bs;

	if (g->f.rt && !g->f.zoned && !mkfs_number(o, MO_R_NOALIGN, 0)) {
		uint64_t width = (uint64_t)facts->rt.swidth * 512;

		if (width >= 4096 && width <= 1 << 30 && width % bs == 0)
			size = (int64_t)width;
	}
	if (g->f.zoned)
		size = bs;
	if (mkfs_option_late(o, MO_R_EXTSIZE, bs, g->sb.sectsize, &size, err))
		return -1;
	if (size % bs)
		return mkfs_fail(err, true, "illegal rt extent size %" PRId64 ", not a multiple of %u", size, bs);
	g->sb.rextsize = (uint32_t)(size / bs);
	return 0;
}

/* A group size leaves a last group of at least two extents; an exact division is refused, as the reference does. */
static bool leaves_whole_group(uint64_t blocks, uint64_t group, uint64_t extent)
{
	return blocks % group >= 2 * extent;
}

/* candidates from the power of two below: growing, shrinking, then extent by extent (format sheet 10, 3.5) */
static uint64_t default_group(uint64_t blocks, uint64_t extent, uint32_t bs)
{
	uint64_t want = blocks * bs >= 4 * TB ? RG_MAX : blocks * bs >= 128 * MB ? xfs_ceil_div(blocks, 4) : blocks;
	uint64_t start, t;

	if (xfs_is_pow2(extent)) {
		start = want > 1 ? UINT64_C(1) << xfs_log2_floor(want - 1) : 1;
		for (t = start; t <= RG_MAX - extent; t *= 4)
			if (leaves_whole_group(blocks, t, extent))
				return t;
		for (t = start; t > 2 * extent; t /= 4)
			if (leaves_whole_group(blocks, t, extent))
				return t;
	} else {
		start = xfs_min(RG_MAX, want - want % extent);
	}
	if (start == 0)
		return 0;
	for (t = start; t <= RG_MAX - extent; t += extent)
		if (leaves_whole_group(blocks, t, extent))
			return t;
	for (t = start; t > 2 * extent; t -= extent)
		if (leaves_whole_group(blocks, t, extent))
			return t;
	return 0;
}

static uint64_t concurrent_group(const struct mkfs_options *o, const struct mkfs_device_facts *facts, uint64_t blocks,
				 uint64_t size, uint32_t bs)
{
	uint64_t count = xfs_ceil_div(blocks, size), writers = (uint64_t)mkfs_number(o, MO_R_CONCURRENCY, 0), n, rg;
	uint64_t least = (UINT64_C(4) << 30) / bs;

	if (writers == 1 || (!o->v[MO_R_CONCURRENCY].set && facts->rt.solid))
		writers = facts->cpus;
	if (writers == 0 || writers < count)
		return size;
	for (n = writers, rg = blocks / n; rg < least; rg = blocks / n)
		if (--n <= count)
			return size;
	while (rg > RG_MAX && rg > size) {
		n += writers;
		rg = blocks / n;
	}
	return rg;
}

static int choose_group(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			uint64_t *size, struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize;
	uint64_t blocks = g->sb.rblocks, extent = g->sb.rextsize;
	int64_t bytes = 0;

	if (mkfs_option_late(o, MO_R_RGSIZE, bs, g->sb.sectsize, &bytes, err))
		return -1;
	if (o->v[MO_R_RGSIZE].set) {
		if (bytes % bs)
			return mkfs_fail(err, true, "rgsize (%s) not a multiple of fs blk size (%u)",
					o->v[MO_R_RGSIZE].text, bs);
		*size = (uint64_t)bytes / bs;
	} else if (o->v[MO_R_RGCOUNT].set) {
		*size = xfs_ceil_div(blocks, (uint64_t)o->v[MO_R_RGCOUNT].n);
	} else if (g->f.zoned) {
		*size = ZONE_BYTES / bs;
	} else if (blocks == 0) {
		*size = xfs_round_down(TB / bs, extent);
	} else if (blocks < 2 * extent) {
		*size = blocks;
	} else {
		*size = default_group(blocks, extent, bs);
		if (*size == 0)
			return mkfs_fail(err, true,
					"realtime group size (%" PRIu64 ") not at all congruent with extent size "
					"(%" PRIu64 ")",
					 blocks, extent);
		*size = concurrent_group(o, facts, blocks, *size, bs);
	}
	return 0;
}

static int check_group(const struct mkfs_geometry *g, uint64_t size, uint64_t count, struct mkfs_error *err)
{
	uint64_t extent = g->sb.rextsize;

	if (size > RG_MAX)
		return mkfs_fail(err, true,
				"realtime group size (%" PRIu64 ") must be less than the maximum (%" PRIu64 ")", size,
				RG_MAX);
	if (size % extent)
		return mkfs_fail(err, true,
				"realtime group size (%" PRIu64 ") not a multiple of rt extent size (%" PRIu64 ")",
				size, extent);
	if (size < 2 * extent)
		return mkfs_fail(err, true, "realtime group size (%" PRIu64 ") must be at least two realtime extents",
				size);
	if (count > UINT32_MAX - 1)
		return mkfs_fail(err, true, "realtime group count (%" PRIu64 ") must be less than the maximum (%u)",
				count, UINT32_MAX - 1);
	if (g->f.zoned && count < MIN_ZONES)
		return mkfs_fail(err, true,
				"realtime group count (%" PRIu64 ") must be greater than the minimum zone count (%u)",
				count,
				 MIN_ZONES);
	return 0;
}

/* Zones beside those that users see (format sheet 10, section 6, geometry rule 3). */
static void spare_zones(const struct mkfs_options *o, struct mkfs_geometry *g, uint64_t size, uint64_t device)
{
	uint64_t count = xfs_ceil_div(g->sb.rblocks, size), writable = g->sb.rblocks;

	if (!o->v[MO_R_SIZE].set && !o->v[MO_R_RGCOUNT].set)
		return;
	if (!o->v[MO_R_RGCOUNT].set)
		count += SPARE_ZONES;
	if (count > device / size) {
		count = device / size;
		mkfs_note(g->warnings, sizeof(g->warnings),
				"Warning: not enough zones for backing requested rt size due to\n"
			  "over-provisioning needs, writable size will be less than %s\n",
			  o->v[MO_R_SIZE].set ? o->v[MO_R_SIZE].text : "(null)");
	}
	g->sb.rblocks = count * size;
	g->sb.rtreserved += (g->sb.rblocks - writable) % size;
}

static int groups(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
		  uint64_t device, struct mkfs_error *err)
{
	uint64_t size = 0, count;

	if (choose_group(o, facts, g, &size, err))
		return -1;
	if (g->f.zoned && size)
		spare_zones(o, g, size, device);
	count = size ? xfs_ceil_div(g->sb.rblocks, size) : 0;
	if (check_group(g, size, count, err))
		return -1;
	g->sb.rgcount = (uint32_t)count;
	g->sb.rgextents = (uint32_t)(size / g->sb.rextsize);
	g->sb.rgblklog = (uint8_t)xfs_log2_ceil(size);
	return 0;
}

/* The data section ends where the zones start. */
static int split_device(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize;
	uint64_t sectors = facts->data.size / 512, least = xfs_max(xfs_ceil_div(sectors, 100), 300 * MB / 512);
	int64_t start = INT64_C(512) << xfs_log2_ceil(least);

	if (mkfs_option_late(o, MO_R_START, bs, g->sb.sectsize, &start, err))
		return -1;
	if (start <= 0 || (uint64_t)start >= facts->data.size)
		return mkfs_fail(err, true, "device size %" PRIu64 " too small for zoned allocator", facts->data.size);
	g->sb.rtstart = g->sb.dblocks = (uint64_t)start / bs;
	return 0;
}

static int section_size(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			uint64_t *device, struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize;
	bool external = o->v[MO_R_RTDEV].set || o->v[MO_R_NAME].set;
	int64_t asked = 0;

	if (mkfs_option_late(o, MO_R_SIZE, bs, g->sb.sectsize, &asked, err))
		return -1;
	if (asked % 512)
		return mkfs_fail(err, true, "illegal rt length %" PRId64 ", not a multiple of %d", asked, 512);
	if (!external && split_device(o, facts, g, err))
		return -1;
	*device = external ? facts->rt.size / bs : facts->data.size / bs - g->sb.rtstart;
	if (external && facts->rt.size == 0 && !facts->rt.growable)
		return mkfs_fail(err, true, "Invalid zero length rt subvolume found");
	g->sb.rblocks = asked ? (uint64_t)asked / bs : *device;
	if (g->sb.rblocks > *device && !facts->rt.growable)
		return mkfs_fail(err, true,
				"size %s specified for rt subvolume is too large, maximum is %" PRIu64 " blocks",
				 o->v[MO_R_SIZE].text, *device);
	return 0;
}

int mkfs_compute_rt(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
		    struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize;
	uint64_t device = 0;
	int64_t reserved = 0;

	if (mkfs_number(o, MO_R_FILE, 0) && g->f.rt && !(o->v[MO_R_SIZE].set && (o->v[MO_R_RTDEV].set ||
			o->v[MO_R_NAME].set)))
		return mkfs_fail(err, true, "if -r file then -r name and -r size are required");
	if (!g->f.rt) {
		if (o->v[MO_R_SIZE].set)
			return mkfs_fail(err, true, "size specified for non-existent rt subvolume");
		return g->f.metadir ? groups(o, facts, g, 0, err) : 0;
	}
	if (section_size(o, facts, g, &device, err))
		return -1;
	if (mkfs_option_late(o, MO_R_RESERVED, bs, g->sb.sectsize, &reserved, err))
		return -1;
	g->sb.rtreserved = (uint64_t)reserved / bs;
	if (g->sb.rblocks / g->sb.rextsize == 0)
		return mkfs_fail(err, true, "cannot have an rt subvolume with zero extents");
	if (g->f.metadir && groups(o, facts, g, device, err))
		return -1;
	g->sb.rextents = g->sb.rblocks / g->sb.rextsize;
	g->sb.rextslog = (uint8_t)xfs_log2_floor(g->sb.rextents);
	if (g->f.zoned)
		g->sb.rbmblocks = 0;
	else if (g->f.metadir)
		g->sb.rbmblocks = (uint32_t)xfs_ceil_div(g->sb.rgextents, 8 * ((uint64_t)bs - 48));
	else
		g->sb.rbmblocks = (uint32_t)xfs_ceil_div(g->sb.rextents, 8 * (uint64_t)bs);
	return 0;
}

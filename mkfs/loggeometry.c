/* SPDX-License-Identifier: BSD-2-Clause */
/* loggeometry.c - stripe unit, size and place of the log (format sheet 05, section 9). */
#include "libxfs/log/logsize.h"
#include "mkfs/geometry.h"

#include <inttypes.h>

#define MB (UINT64_C(1) << 20)
#define GB (UINT64_C(1) << 30)

int mkfs_compute_log_unit(const struct mkfs_options *o, struct mkfs_geometry *g, struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize;
	int64_t bytes = mkfs_number(o, MO_L_SUNIT, 0) * 512;

	if (mkfs_option_late(o, MO_L_SU, bs, g->sb.sectsize, &bytes, err))
		return -1;
	if (!bytes && g->logsect > 512)
		bytes = bs;
	if (bytes % bs)
		return mkfs_fail(err, true, "log stripe unit (%" PRId64 ") must be a multiple of the block size (%u)",
				bytes, bs);
	g->lsunit = (uint32_t)(bytes / bs);
	if (g->f.log_version != 2)
		return 0;
	if (!g->lsunit && !g->f.external_log)
		g->lsunit = g->dsunit;
	if ((uint64_t)g->lsunit * bs > 256 << 10) {
		mkfs_note(g->warnings, sizeof(g->warnings),
			  "log stripe unit (%" PRIu64 " bytes) is too large (maximum is 256KiB)\n"
			  "log stripe unit adjusted to 32KiB\n", (uint64_t)g->lsunit * bs);
		g->lsunit = (32 << 10) / bs;
	}
	return 0;
}

static int check_limits(uint64_t blocks, uint64_t least, uint32_t bs, struct mkfs_error *err)
{
	if (blocks < least)
		return mkfs_fail(err, true,
				"log size %" PRIu64 " blocks too small, minimum size is %" PRIu64 " blocks", blocks,
				least);
	if (blocks > XFS_LOG_MAX_BLOCKS)
		return mkfs_fail(err, true, "log size %" PRIu64 " blocks too large, maximum size is %u blocks",
				blocks, XFS_LOG_MAX_BLOCKS);
	if (blocks * bs > XFS_LOG_MAX_BYTES)
		return mkfs_fail(err, true, "log size %" PRIu64 " bytes too large, maximum size is %" PRIu64 " bytes",
				blocks * bs,
				 XFS_LOG_MAX_BYTES);
	return 0;
}

static uint64_t max_log_blocks(uint32_t bs)
{
	return xfs_min(XFS_LOG_MAX_BLOCKS, XFS_LOG_MAX_BYTES / bs);
}

static uint64_t least_log(const struct mkfs_options *o, const struct mkfs_geometry *g)
{
	uint64_t least = xfs_log_minimum(&g->geo, g->sb.logsunit);

	if (!o->v[MO_L_SIZE].set && g->sb.dblocks * g->sb.blocksize >= GB)
		least = xfs_max(least, xfs_ceil_div(10 * MB, g->sb.blocksize));
	return least;
}

static int external_log(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			int64_t asked, struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize;
	uint64_t device = facts->log.size / bs, blocks = asked ? (uint64_t)asked / bs : device, least = least_log(o, g);

	if (asked && !facts->log.growable && blocks > device)
		return mkfs_fail(err, true,
				"size %s specified for log subvolume is too large, maximum is %" PRIu64 " blocks",
				 o->v[MO_L_SIZE].text, device);
	if (blocks < least)
		return mkfs_fail(err, true,
				"external log device size %" PRIu64 " blocks too small, must be at least %" PRIu64 " "
				"blocks",
				 blocks, least);
	if (g->lsunit)
		blocks = xfs_round_down(blocks, g->lsunit);
	if (check_limits(blocks, least, bs, err))
		return -1;
	g->sb.logblocks = (uint32_t)blocks;
	return 0;
}

/* size when none is given (9.3) */
static uint64_t automatic_size(const struct mkfs_options *o, const struct mkfs_device_facts *facts,
			       const struct mkfs_geometry *g, uint64_t least, uint64_t most)
{
	uint64_t bs = g->sb.blocksize, bytes = g->sb.dblocks * bs, n = g->sb.dblocks / 2048, threads = 0;

	if (o->v[MO_L_CONCURRENCY].set)
		threads = o->v[MO_L_CONCURRENCY].n == 1 ? facts->cpus : (uint64_t)o->v[MO_L_CONCURRENCY].n;
	else if (facts->data.solid)
		threads = facts->cpus;
	if (threads && bytes >= GB) {
		struct xfs_log_reservation best = xfs_log_largest(&g->geo);

		n = xfs_max(n, xfs_min(XFS_LOG_MAX_BYTES / bs, best.bytes * best.count * 3 * threads / 2 / bs));
	}
	n = xfs_max(n, 64 * MB / bs);
	if (bytes < 300 * MB)
		n = least;
	n = xfs_min(xfs_max(n, least), most);
	return xfs_min(n, max_log_blocks(g->sb.blocksize));
}

static int internal_size(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			 int64_t asked, uint64_t most, uint64_t least, uint64_t *blocks, struct mkfs_error *err)
{
	if (most < least)
		return mkfs_fail(err, true,
				"max log size %" PRIu64 " smaller than min log size %" PRIu64 ", filesystem is too "
				"small",
				 most, least);
	*blocks = asked ? (uint64_t)asked / g->sb.blocksize : automatic_size(o, facts, g, least, most);
	if (*blocks >= g->sb.dblocks)
		return mkfs_fail(err, true, "log size %" PRIu64 " too large for internal log", *blocks);
	if (*blocks > most)
		return mkfs_fail(err, true, "internal log size %" PRIu64 " too large, must be less than %" PRIu64,
				*blocks, most);
	return check_limits(*blocks, least, g->sb.blocksize, err);
}

/* whole stripe units, start and size (9.4) */
static int align_log(struct mkfs_geometry *g, bool asked, uint64_t most, uint64_t *start, uint64_t *blocks,
		     struct mkfs_error *err)
{
	uint64_t unit = g->lsunit ? g->lsunit : g->dsunit, mask = (UINT64_C(1) << g->sb.agblklog) - 1, first = *start;

	if (unit <= 1)
		return 0;
	/* of the whole fsblock number, as other tools expect it */
	*start = xfs_round_up(*start, unit);
	if (*start >> g->sb.agblklog != first >> g->sb.agblklog)
		return mkfs_fail(err, true,
				"Due to stripe alignment, the internal log start (%" PRIu64 ") cannot be aligned\n"
				 "within an allocation group.", *start);
	if (*blocks % unit) {
		if (asked)
			return mkfs_fail(err, true,
					"log size %" PRIu64 " is not a multiple of the log stripe unit %" PRIu64,
					*blocks, unit);
		*blocks = xfs_round_up(*blocks, unit);
		if (*blocks > most || *blocks > max_log_blocks(g->sb.blocksize))
			*blocks = xfs_round_down(*blocks - 1, unit);
	}
	if ((*start & mask) + *blocks > g->sb.agblocks && !asked)
		*blocks -= unit;
	if ((*start & mask) + *blocks > g->sb.agblocks)
		return mkfs_fail(err, true,
				"Due to stripe alignment, the internal log size (%" PRIu64 ") is too large.\n"
				 "Must fit within an allocation group.", *blocks);
	return 0;
}

static int internal_log(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			int64_t asked, struct mkfs_error *err)
{
	uint64_t most = g->max_usable - 1, least = least_log(o, g), blocks = 0, start, agno, root;

	if (internal_size(o, facts, g, asked, most, least, &blocks, err))
		return -1;
	agno = (uint64_t)mkfs_number(o, MO_L_AGNUM, g->sb.agcount / 2);
	if (agno >= g->sb.agcount)
		return mkfs_fail(err, true, "log ag number %" PRIu64 " too large, must be less than %u", agno,
				g->sb.agcount);
	if (agno == 0) {	/* the root directory's chunk must fit, too */
		root = xfs_max(4 * xfs_ceil_div(64u * g->sb.inodesize, g->sb.blocksize), 2 * (uint64_t)g->dsunit);
		most -= xfs_min(root, most);
		if (most < least)
			return mkfs_fail(err, true,
					"max log size %" PRIu64 " smaller than min log size %" PRIu64 ", filesystem "
					"is too small",
					 most, least);
		if (blocks > most && asked)
			return mkfs_fail(err, true,
					"internal log size %" PRIu64 " too large, must fit in allocation group",
					blocks);
		blocks = xfs_min(blocks, most);
	}
	start = agno << g->sb.agblklog | g->prealloc;
	if (align_log(g, asked != 0, most, &start, &blocks, err) || check_limits(blocks, least, g->sb.blocksize, err))
		return -1;
	g->sb.logstart = start;
	g->sb.logblocks = (uint32_t)blocks;
	g->log_agno = (uint32_t)agno;
	g->log_agbno = (uint32_t)(start & ((UINT64_C(1) << g->sb.agblklog) - 1));
	if (g->log_agbno + blocks > xfs_ag_length(&g->geo, XFS_AGNO(agno)))
		return mkfs_fail(err, true, "internal log size %" PRIu64 " too large, must fit in allocation group",
				blocks);
	return 0;
}

int mkfs_compute_log(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
		     struct mkfs_error *err)
{
	int64_t asked = 0;

	if (mkfs_option_late(o, MO_L_SIZE, g->sb.blocksize, g->sb.sectsize, &asked, err))
		return -1;
	if (asked % 512)
		return mkfs_fail(err, true, "illegal log length %" PRId64 ", not a multiple of %d", asked, 512);
	if (asked % g->sb.blocksize)
		mkfs_note(g->warnings, sizeof(g->warnings),
				"warning: log length %" PRId64 " not a multiple of %u, truncated to %" PRId64 "\n",
			  asked, g->sb.blocksize, asked / g->sb.blocksize * g->sb.blocksize);
	if (mkfs_number(o, MO_L_FILE, 0) && (!g->f.external_log || !asked))
		return mkfs_fail(err, true, "if -l file then -l name and -l size are required");
	if (!g->f.external_log && !mkfs_number(o, MO_L_INTERNAL, 1))
		return mkfs_fail(err, true, "No log device name specified");
	if (g->f.external_log)
		return external_log(o, facts, g, asked, err);
	return internal_log(o, facts, g, asked, err);
}

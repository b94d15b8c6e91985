/* SPDX-License-Identifier: BSD-2-Clause */
/* bulkstat.c - bulkstat, bulkstat_single, inumbers, imap: inodes of the filesystem (format sheet 09, section 8). */
#include "io/bulk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_BATCH 4096
#define MAX_BATCH (1u << 20)

struct bulk_opts {
	const char *ag, *end, *batch, *start, *version;
	bool debug, quiet, metadata;
};
#define AT(field) offsetof(struct bulk_opts, field)

static const struct io_opt bulkstat_options[] = {
	{ 'a', IO_OPT_TEXT, AT(ag), 0, "agno", "only this allocation group", NULL },
	{ 'd', IO_OPT_FLAG, AT(debug), 0, NULL, "show each request", NULL },
	{ 'e', IO_OPT_TEXT, AT(end), 0, "ino", "up to this inode", NULL },
	{ 'm', IO_OPT_FLAG, AT(metadata), 0, NULL, "files of the metadata directory as well", NULL },
	{ 'n', IO_OPT_TEXT, AT(batch), 0, "nr", "ask for so many at once", NULL },
	{ 'q', IO_OPT_FLAG, AT(quiet), 0, NULL, "print nothing", NULL },
	{ 's', IO_OPT_TEXT, AT(start), 0, "ino", "from this inode on", NULL },
	{ 'v', IO_OPT_TEXT, AT(version), 0, "ver", "ioctl to use: 1 (old) or 5", NULL },
	{ 0 },
};

static const struct io_opt inumbers_options[] = {
	{ 'a', IO_OPT_TEXT, AT(ag), 0, "agno", "only this allocation group", NULL },
	{ 'd', IO_OPT_FLAG, AT(debug), 0, NULL, "show each request", NULL },
	{ 'e', IO_OPT_TEXT, AT(end), 0, "ino", "up to this inode", NULL },
	{ 'n', IO_OPT_TEXT, AT(batch), 0, "nr", "ask for so many at once", NULL },
	{ 'q', IO_OPT_FLAG, AT(quiet), 0, NULL, "print nothing", NULL },
	{ 's', IO_OPT_TEXT, AT(start), 0, "ino", "from this inode on", NULL },
	{ 'v', IO_OPT_TEXT, AT(version), 0, "ver", "ioctl to use: 1 (old) or 5", NULL },
	{ 0 },
};

static const struct io_opt single_options[] = {
	{ 'd', IO_OPT_FLAG, AT(debug), 0, NULL, "show the request", NULL },
	{ 'v', IO_OPT_TEXT, AT(version), 0, "ver", "ioctl to use: 1 (old) or 5", NULL },
	{ 0 },
};

static void print_time(const char *name, int64_t sec, uint32_t nsec)
{
	printf("\tbs_%s = %" PRId64 ".%u\n", name, sec, nsec);
}

static void print_stat(const struct xfs_bulkstat *s)
{
	printf("bs_ino = %" PRIu64 "\n\tbs_size = %" PRIu64 "\n\tbs_blocks = %" PRIu64 "\n\tbs_xflags = "
	       "0x%" PRIx64 "\n", s->ino, s->size, s->blocks, s->xflags);
	print_time("atime", s->atime, s->atime_nsec);
	print_time("ctime", s->ctime, s->ctime_nsec);
	print_time("mtime", s->mtime, s->mtime_nsec);
	print_time("btime", s->btime, s->btime_nsec);
	printf("\tbs_gen = 0x%x\n\tbs_uid = %u\n\tbs_gid = %u\n\tbs_projectid = %u\n", s->gen, s->uid, s->gid,
	       s->projectid);
	printf("\tbs_blksize = %u\n\tbs_rdev = %u\n\tbs_cowextsize_blks = %u\n\tbs_extsize_blks = %u\n", s->blksize,
	       s->rdev, s->cowextsize_blks, s->extsize_blks);
	printf("\tbs_nlink = %u\n\tbs_extents = %u\n\tbs_aextents = %u\n\tbs_version = %u\n\tbs_forkoff = %u\n",
	       s->nlink, s->extents, s->aextents, s->version, s->forkoff);
	printf("\tbs_sick = 0x%x\n\tbs_checked = 0x%x\n\tbs_mode = 0%o\n\tbs_extents64 = %" PRIu64 "\n", s->sick,
	       s->checked, s->mode, s->extents64);
}

/* A number that an option gave; NULL keeps the value. */
static bool number(const char *text, uint64_t max, uint64_t *value)
{
	if (!text || io_parse_u64(text, max, value))
		return true;
	/* the sheet: malformed numbers are told as out of range */
	fprintf(stderr, "%s: %s\n", text, strerror(ERANGE));
	return false;
}

/* Fills b from the options. Returns IO_OK, or what the command returns after a message. */
static int setup(struct io *io, const struct bulk_opts *o, struct io_bulk *b, uint64_t *end)
{
	uint64_t ag = 0, batch = DEFAULT_BATCH, start = 0, version = 5;
	if (!number(o->ag, UINT32_MAX, &ag) || !number(o->batch, MAX_BATCH, &batch) ||
	    !number(o->start, UINT64_MAX, &start) || !number(o->end, UINT64_MAX, end) ||
	    !number(o->version, UINT32_MAX, &version))
		return IO_STOP;
	if (version != 1 && version != 5) {
		fprintf(stderr, "version must be 1 or 5.\n");
		return IO_STOP;
	}
	if (io_bulk_setup(b, io_current(io)->fd, (unsigned)version, batch ? (uint32_t)batch : DEFAULT_BATCH) < 0)
		return io_perror("XFS_IOC_FSGEOMETRY");
	b->head->ino = start;
	b->head->flags = XFS_BULK_NREXT64 | (o->metadata ? XFS_BULK_METADIR : 0);
	if (o->ag) {
		b->head->flags |= XFS_BULK_AGNO;
		b->head->agno = (uint32_t)ag;
	}
	return IO_OK;
}

static void print_debug(const char *what, const struct io_bulk *b, uint64_t start, int ret)
{
	printf("%s: startino=%lld flags=0x%x agno=%u ret=%d icount=%u ocount=%u\n", what, (long long)start,
		b->head->flags & ~(uint32_t)XFS_BULK_NREXT64, b->head->agno, ret, b->head->icount, b->head->ocount);
}

/* Kernels before 5.19 know no 64-bit extent counters and refuse the flag. */
static int first_request(struct io_bulk *b, int (*get)(struct io_bulk *))
{
	int ret = get(b);
	if (ret < 0 && errno == EINVAL && (b->head->flags & XFS_BULK_NREXT64)) {
		b->head->flags &= ~(uint32_t)XFS_BULK_NREXT64;
		ret = get(b);
	}
	return ret;
}

static int bulkstat_run(struct io *io, struct io_call *c)
{
	const struct bulk_opts *o = c->opts;
	struct io_bulk b;
	uint64_t end = UINT64_MAX;
	if (c->argc)
		return io_usage(c);
	int res = setup(io, o, &b, &end);
	if (res != IO_OK)
		return res;
	bool more = true;
	while (more) {
		int ret = first_request(&b, io_bulk_stat);
		if (o->debug)
			print_debug("bulkstat", &b, b.head->ino, ret);
		if (ret < 0) {
			res = io_perror("xfrog_bulkstat");
			break;
		}
		more = b.head->ocount > 0;
		for (uint32_t i = 0; i < b.head->ocount && more; i++) {
			more = b.stat[i].ino <= end;
			if (more && !o->quiet)
				print_stat(&b.stat[i]);
		}
	}
	io_bulk_free(&b);
	return res;
}

static int single(const struct bulk_opts *o, struct io_bulk *b, const char *word)
{
	uint64_t ino = 0;
	bool root = !strcmp(word, "root");
	if (!root && !number(word, UINT64_MAX, &ino))
		return IO_STOP;
	b->head->flags = XFS_BULK_NREXT64;
	if (root && b->version == 1) {	/* the old call knows no special numbers */
		b->head->ino = 0;
		b->head->icount = 1;
		int ret = io_bulk_stat(b);
		if (ret < 0)
			return io_perror("xfrog_bulkstat_single");
		print_stat(b->stat);
		return IO_OK;
	}
	if (root)
		b->head->flags |= XFS_BULK_SPECIAL;
	b->head->ino = root ? XFS_BULK_ROOT : ino;
	int ret = first_request(b, io_bulk_stat_single);
	if (o->debug)
		printf("bulkstat_single: startino=%lld flags=0x%x ret=%d\n", (long long)ino,
			b->head->flags & ~(uint32_t)XFS_BULK_NREXT64, ret);
	if (ret < 0)
		return io_perror("xfrog_bulkstat_single");
	if (!b->head->ocount) {
		errno = EINVAL;		/* no inode at or behind this number */
		return io_perror("xfrog_bulkstat_single");
	}
	print_stat(b->stat);
	return IO_OK;
}

static int bulkstat_single_run(struct io *io, struct io_call *c)
{
	const struct bulk_opts *o = c->opts;
	struct io_bulk b;
	uint64_t end;
	if (!c->argc)
		return io_usage(c);
	int res = setup(io, o, &b, &end);
	if (res != IO_OK)
		return res;
	for (int i = 0; i < c->argc && res == IO_OK; i++)
		res = single(o, &b, c->argv[i]);
	io_bulk_free(&b);
	return res;
}

static int inumbers_run(struct io *io, struct io_call *c)
{
	const struct bulk_opts *o = c->opts;
	struct io_bulk b;
	uint64_t end = UINT64_MAX;
	if (c->argc)
		return io_usage(c);
	int res = setup(io, o, &b, &end);
	if (res != IO_OK)
		return res;
	b.head->flags &= ~(uint32_t)XFS_BULK_NREXT64;
	bool more = true;
	while (more) {
		int ret = io_bulk_inumbers(&b);
		if (o->debug)
			print_debug("bulkstat", &b, b.head->ino, ret);
		if (ret < 0) {
			res = io_perror("xfrog_inumbers");
			break;
		}
		more = b.head->ocount > 0;
		for (uint32_t i = 0; i < b.head->ocount && more; i++) {
			const struct xfs_inumbers *r = &b.inumbers[i];
			more = r->startino <= end;
			if (more && !o->quiet)
				printf("xi_startino = %" PRIu64 "\n\txi_allocmask = 0x%" PRIx64 "\n\txi_alloccount = "
				       "%u\n"
					"\txi_version = %u\n", r->startino, r->allocmask, r->alloccount, r->version);
		}
	}
	io_bulk_free(&b);
	return res;
}

static int imap_run(struct io *io, struct io_call *c)
{
	struct io_bulk b;
	uint64_t batch = 64;
	if (c->argc && !io_parse_u64(c->argv[0], MAX_BATCH, &batch)) {
		printf("non-numeric entry count -- %s\n", c->argv[0]);
		return IO_FAIL;
	}
	if (io_bulk_setup(&b, io_current(io)->fd, 5, batch ? (uint32_t)batch : 1) < 0)
		return io_perror("XFS_IOC_FSGEOMETRY");
	int res = IO_OK;
	do {
		if (io_bulk_inumbers(&b) < 0) {
			res = io_perror("xfrog_inumbers");
			break;
		}
		for (uint32_t i = 0; i < b.head->ocount; i++)
			printf("ino %10" PRIu64 " count %2u mask %016" PRIx64 "\n", b.inumbers[i].startino,
				b.inumbers[i].alloccount, b.inumbers[i].allocmask);
	} while (b.head->ocount);
	io_bulk_free(&b);
	return res;
}

const struct io_command io_bulkstat_commands[] = {
	{ .name = "bulkstat", .args = "[-a agno] [-d] [-e endino] [-m] [-n batchsize] [-q] [-s startino] [-v version]",
	  .oneline = "show all inodes of the filesystem", .opts = bulkstat_options,
	  .argmin = 0, .argmax = IO_ANY, .flags = 0, .run = bulkstat_run },
	{ .name = "bulkstat_single", .args = "[-d] [-v version] inum...",
	  .oneline = "show inodes of the filesystem by number", .opts = single_options,
	  .about = " The word root stands for the root directory. "
		   "Of a number that is not in use the kernel shows the next.\n",
	  .argmin = 1, .argmax = IO_ANY, .flags = 0, .run = bulkstat_single_run },
	{ .name = "inumbers", .args = "[-a agno] [-d] [-e endino] [-n batchsize] [-q] [-s startino] [-v version]",
	  .oneline = "show the inode chunks of the filesystem", .opts = inumbers_options,
	  .argmin = 0, .argmax = IO_ANY, .flags = 0, .run = inumbers_run },
	{ .name = "imap", .args = "[nentries]", .oneline = "show the inode chunks of the filesystem in short",
	  .argmin = 0, .argmax = 1, .flags = IO_ONESHOT | IO_EXPERT, .run = imap_run },
	{ 0 },
};

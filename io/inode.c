/* SPDX-License-Identifier: BSD-2-Clause */
/* inode.c - inode: which inode numbers are in use, and how wide they are. */
#include "io/bulk.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct inode_opts {
	bool next, verbose;
};

static const struct io_opt inode_options[] = {
	{ 'n', IO_OPT_FLAG, offsetof(struct inode_opts, next), 0, NULL, "the next inode in use behind num", NULL },
	{ 'v', IO_OPT_FLAG, offsetof(struct inode_opts, verbose), 0, NULL, "show how many bits the number needs",
	  NULL },
	{ 0 },
};

static unsigned bits(uint64_t ino)
{
	return ino > UINT32_MAX ? 64 : 32;
}

/* Highest inode in use; 0 when there is none. Returns 0 or -1 (errno). */
static int find_last(int fd, uint64_t *last)
{
	struct io_bulk b;
	int res = io_bulk_setup(&b, fd, 5, 4096);
	*last = 0;
	while (res == 0) {
		res = io_bulk_inumbers(&b);
		if (res < 0 || !b.head->ocount)
			break;
		for (uint32_t i = 0; i < b.head->ocount; i++)
			for (unsigned bit = 0; bit < 64; bit++)
				if (b.inumbers[i].allocmask >> bit & 1)
					*last = b.inumbers[i].startino + bit;
	}
	io_bulk_free(&b);
	return res;
}

/* First inode in use at or behind ino; 0 when there is none. Returns 0 or -1 (errno). */
static int find_from(int fd, uint64_t ino, uint64_t *found)
{
	struct io_bulk b;
	*found = 0;
	int res = io_bulk_setup(&b, fd, 5, 1);
	if (res == 0) {
		b.head->ino = ino;
		res = io_bulk_stat_single(&b);
		if (res < 0 && errno == EINVAL)		/* behind the end of the filesystem */
			res = 0;
		else if (res == 0 && b.head->ocount)
			*found = b.stat[0].ino;
	}
	io_bulk_free(&b);
	return res;
}

static int inode_run(struct io *io, struct io_call *c)
{
	const struct inode_opts *o = c->opts;
	int fd = io_current(io)->fd;
	uint64_t ino = 0, found;

	if (c->argc > 1 || (o->next && !c->argc))
		return io_usage(c);
	if (!c->argc) {
		if (find_last(fd, &found) < 0)
			return io_perror("XFS_IOC_INUMBERS");
		if (o->verbose)
			printf("%" PRIu64 ":%u\n", found, bits(found));
		else
			printf("%d\n", bits(found) == 64);
		return IO_OK;
	}
	if (!io_parse_u64(c->argv[0], UINT64_MAX, &ino)) {
		printf("%s is not a numeric inode value\n", c->argv[0]);
		return IO_FAIL;
	}
	if (o->next && ino == UINT64_MAX)
		found = 0;
	else if (find_from(fd, o->next ? ino + 1 : ino, &found) < 0)
		return io_perror("XFS_IOC_BULKSTAT");
	if (!o->next && found != ino)
		found = 0;
	if (o->verbose && found)
		printf("%" PRIu64 ":%u\n", found, bits(found));
	else
		printf("%" PRIu64 "\n", found);
	return IO_OK;
}

const struct io_command io_inode_commands[] = {
	{ .name = "inode", .args = "[-nv] [num]", .oneline = "tell which inode numbers are in use",
	  .opts = inode_options,
	  .about = " Without num: 1 when some inode number needs more than 32 bits, else 0 (-v: the highest number).\n"
		" With num: the number when it is in use, else 0.\n",
	  .argmin = 0, .argmax = 3, .flags = IO_ONESHOT, .run = inode_run },
	{ 0 },
};

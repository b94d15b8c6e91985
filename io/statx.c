/* SPDX-License-Identifier: BSD-2-Clause */
/* statx.c - statx: statx(2) with any mask, all fields that the kernel may fill (format sheet 09, section 8). */
#include "io/io.h"
#include "io/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's structure, with fields that the headers of the system may not have yet. */
struct stat_time {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};
struct full_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad1;
	uint64_t ino, size, blocks, attributes_mask;
	struct stat_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id;
	uint32_t dio_mem_align, dio_offset_align;
	uint64_t subvol;
	uint32_t atomic_write_unit_min, atomic_write_unit_max, atomic_write_segments_max, dio_read_offset_align;
	uint64_t spare[9];
};
_Static_assert(sizeof(struct full_statx) == 256, "statx");

#define MASK_BASIC 0x7ffu
#define MASK_BTIME 0x800u
#define MASK_ALL 0xfffu

static const struct { const char *name; uint32_t bit; } masks[] = {
	{ "type", 0x1 }, { "mode", 0x2 }, { "nlink", 0x4 }, { "uid", 0x8 }, { "gid", 0x10 }, { "atime", 0x20 },
	{ "mtime", 0x40 }, { "ctime", 0x80 }, { "ino", 0x100 }, { "size", 0x200 }, { "blocks", 0x400 },
	{ "btime", 0x800 },
	{ "mnt_id", 0x1000 }, { "dioalign", 0x2000 }, { "mnt_id_unique", 0x4000 }, { "subvol", 0x8000 },
	{ "write_atomic", 0x10000 }, { "dio_read_align", 0x20000 }, { "basic", MASK_BASIC }, { "all", MASK_ALL },
};

struct statx_opts {
	bool verbose, raw;
	const char *mask;
	unsigned sync;
};

static const struct io_opt statx_options[] = {
	{ 'v', IO_OPT_FLAG, offsetof(struct statx_opts, verbose), 0, NULL, "times, and names of the flags", NULL },
	{ 'r', IO_OPT_FLAG, offsetof(struct statx_opts, raw), 0, NULL, "the fields of struct statx", NULL },
	{ 'm', IO_OPT_TEXT, offsetof(struct statx_opts, mask), 0, "mask",
	  "what to ask for: basic, all, a number, or names with commas; +name and -name change the default", NULL },
	{ 'D', IO_OPT_OR, offsetof(struct statx_opts, sync), AT_STATX_DONT_SYNC, NULL, "do not ask the server", NULL },
	{ 'F', IO_OPT_OR, offsetof(struct statx_opts, sync), AT_STATX_FORCE_SYNC, NULL, "ask the server", NULL },
	{ 0 },
};

/*
 * Number, or names: the first one without sign starts from nothing, signs change what there is (the default at first).
 */
static bool parse_mask(const char *text, uint32_t *mask)
{
	uint64_t v;
	char copy[512], *save = NULL;
	if (io_parse_u64(text, UINT32_MAX, &v)) {
		*mask = (uint32_t)v;
		return true;
	}
	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	bool first = true;
	for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		char sign = *w == '+' || *w == '-' ? *w++ : '\0';
		size_t i = 0, n = sizeof(masks) / sizeof(masks[0]);
		while (i < n && strcmp(masks[i].name, w))
			i++;
		if (i == n)
			return false;
		if (first && !sign)
			*mask = 0;
		*mask = sign == '-' ? *mask & ~masks[i].bit : *mask | masks[i].bit;
		first = false;
	}
	return !first;
}

static void print_time(const char *name, const struct stat_time *t)
{
	printf("stat.%s.tv_sec = %" PRId64 "\nstat.%s.tv_nsec = %u\n", name, t->sec, name, t->nsec);
}

static void print_raw(const struct full_statx *s)
{
	printf("stat.mask = 0x%x\nstat.blksize = %u\nstat.attributes = 0x%" PRIx64 "\nstat.nlink = %u\nstat.uid = %u\n"
		"stat.gid = %u\nstat.mode: 0%o\n", s->mask, s->blksize, s->attributes, s->nlink, s->uid, s->gid,
		s->mode);
	printf("stat.ino = %" PRIu64 "\nstat.size = %" PRIu64 "\nstat.blocks = %" PRIu64 "\n"
		"stat.attributes_mask = 0x%" PRIx64 "\n", s->ino, s->size, s->blocks, s->attributes_mask);
	print_time("atime", &s->atime);
	print_time("btime", &s->btime);
	print_time("ctime", &s->ctime);
	print_time("mtime", &s->mtime);
	printf("stat.rdev_major = %u\nstat.rdev_minor = %u\nstat.dev_major = %u\nstat.dev_minor = %u\n", s->rdev_major,
		s->rdev_minor, s->dev_major, s->dev_minor);
	/* decimal behind 0x: that is how the sheet has it */
	printf("stat.mnt_id = 0x%" PRIu64 "\nstat.dio_mem_align = %u\nstat.dio_offset_align = %u\n"
		"stat.subvol = 0x%" PRIu64 "\n", s->mnt_id, s->dio_mem_align, s->dio_offset_align, s->subvol);
	printf("stat.atomic_write_unit_min = %u\nstat.atomic_write_unit_max = %u\n"
		"stat.atomic_write_segments_max = %u\nstat.dio_read_offset_align = %u\n", s->atomic_write_unit_min,
		s->atomic_write_unit_max, s->atomic_write_segments_max, s->dio_read_offset_align);
}

static int statx_run(struct io *io, struct io_call *c)
{
	const struct statx_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	struct full_statx s;
	uint32_t mask = MASK_BASIC | MASK_BTIME;

	if (c->argc || (io_seen(c, 'D') && io_seen(c, 'F')))
		return io_usage(c);
	if (o->mask && !parse_mask(o->mask, &mask)) {
		printf("non-numeric mask -- %s\n", o->mask);
		return IO_FAIL;
	}
	memset(&s, 0, sizeof(s));
	if (syscall(SYS_statx, f->fd, "", o->sync | AT_EMPTY_PATH, mask, &s) < 0)
		return io_perror("statx");
	if (o->raw) {
		print_raw(&s);
		return IO_OK;
	}
	io_print_opened(f);
	printf("stat.ino = %" PRIu64 "\nstat.type = %s\nstat.size = %" PRIu64 "\nstat.blocks = %" PRIu64 "\n", s.ino,
		io_type_name(s.mode), s.size, s.blocks);
	if (o->verbose) {
		io_print_ctime("atime", s.atime.sec);
		io_print_ctime("mtime", s.mtime.sec);
		io_print_ctime("ctime", s.ctime.sec);
		if (s.mask & MASK_BTIME)
			io_print_ctime("btime", s.btime.sec);
	}
	io_print_xattr(f, o->verbose);
	return IO_OK;
}

const struct io_command io_statx_commands[] = {
	{ .name = "statx", .args = "[-v|-r] [-m mask] [-F|-D]", .oneline = "show what statx(2) tells of the file",
	  .opts = statx_options,
	  .about = " Names of the mask: type mode nlink uid gid atime mtime ctime ino size blocks btime "
		   "mnt_id dioalign\n"
		" mnt_id_unique subvol write_atomic dio_read_align.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = statx_run },
	{ 0 },
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* readdir.c - readdir: reads a directory, with -v shows its entries. */
#include "io/io.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

struct readdir_opts {
	int64_t offset, length;
	bool verbose;
};

static const struct io_opt readdir_options[] = {
	{ 'v', IO_OPT_FLAG, offsetof(struct readdir_opts, verbose), 0, NULL, "show the entries", NULL },
	{ 'o', IO_OPT_SIZE, offsetof(struct readdir_opts, offset), 0, "offset", "start at this position (0)",
	  "offset" },
	{ 'l', IO_OPT_SIZE, offsetof(struct readdir_opts, length), 0, "length", "stop after this many bytes of records",
	  "length" },
	{ 0 },
};

static const char *type_name(unsigned char type)
{
	switch (type) {
	case DT_BLK:
		return "DT_BLK";
	case DT_CHR:
		return "DT_CHR";
	case DT_DIR:
		return "DT_DIR";
	case DT_FIFO:
		return "DT_FIFO";
	case DT_LNK:
		return "DT_LNK";
	case DT_REG:
		return "DT_REG";
	case DT_SOCK:
		return "DT_SOCK";
	default:
		return "DT_UNKNOWN";
	}
}

/* Reads up to `limit` bytes of records. Returns their sum or -1 (errno). */
static int64_t read_entries(DIR *dir, int64_t at, int64_t limit, bool verbose, int64_t *ops)
{
	int64_t done = 0;
	while (done < limit) {
		errno = 0;
		struct dirent *e = readdir(dir);
		if (!e)
			return errno ? -1 : done;
		done += e->d_reclen;
		++*ops;
		if (verbose)
			printf("%08" PRIx64 ": d_ino: 0x%08" PRIx64 " d_off: 0x%08" PRIx64
				" d_reclen: 0x%x d_type: %s d_name: %s\n", (uint64_t)at, (uint64_t)e->d_ino,
				(uint64_t)e->d_off, e->d_reclen, type_name(e->d_type), e->d_name);
		at = e->d_off;
	}
	return done;
}

static int readdir_run(struct io *io, struct io_call *c)
{
	const struct readdir_opts *o = c->opts;
	char size[IO_TEXT_SIZE], rate[IO_TEXT_SIZE];
	int64_t ops = 0;
	if (c->argc != 0)
		return io_usage(c);
	int fd = dup(io_current(io)->fd);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int res = io_perror("readdir");
		if (fd >= 0)
			close(fd);
		return res;
	}
	if (o->offset)
		seekdir(dir, (long)o->offset);
	else
		rewinddir(dir);		/* the descriptor shares its position with the one that is open */
	double start = io_now();
	int64_t done = read_entries(dir, o->offset, io_seen(c, 'l') ? o->length : INT64_MAX, o->verbose, &ops);
	double seconds = io_now() - start;
	if (done < 0) {
		int res = io_perror("readdir");
		closedir(dir);
		return res;
	}
	closedir(dir);
	io_format_size((double)done, size);
	io_format_size((double)done / seconds, rate);
	printf("read %" PRId64 " bytes from offset %" PRId64 "\n", done, o->offset);
	printf("%s, %" PRId64 " ops, 0.%04u sec (%s/sec and %.4f ops/sec)\n", size, ops,
		(unsigned)(seconds * 10000.0), rate, (double)ops / seconds);
	return IO_OK;
}

const struct io_command io_readdir_commands[] = {
	{ .name = "readdir", .args = "[-v][-o offset][-l length]", .oneline = "read the entries of a directory",
	  .opts = readdir_options, .argmin = 0, .argmax = 5, .flags = IO_FOREIGN, .run = readdir_run },
	{ .name = "getdents", .args = "[-v][-o offset][-l length]", .oneline = "another name of readdir",
	  .opts = readdir_options, .argmin = 0, .argmax = 5, .flags = IO_FOREIGN, .run = readdir_run },
	{ 0 },
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap.c - mmap, munmap, mremap: the table of memory mappings (format sheet 09, section 9). */
#include "io/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void print_map(const struct io *io, size_t i, bool bracket)
{
	const struct io_map *m = &io->maps[i];
	printf("%c%03zu%c 0x%lx - 0x%lx %c%c%c  %14s (%" PRId64 " : %zu)\n", bracket ? '[' : ' ', i,
	       bracket ? ']' : ' ', (unsigned long)m->addr, (unsigned long)(m->addr + m->length),
	       m->prot & PROT_READ ? 'r' : '-', m->prot & PROT_WRITE ? 'w' : '-', m->prot & PROT_EXEC ? 'x' : '-',
	       m->name ? m->name : "???", (int64_t)m->offset, m->length);
}

void io_print_maps(const struct io *io, bool only_current)
{
	for (size_t i = 0; i < io->n_maps; i++)
		if (!only_current || i == io->current_map)
			print_map(io, i, i == io->current_map);
}

struct mmap_opts {
	unsigned prot;
	int64_t reserve;
	bool sync;
};

static const struct io_opt mmap_options[] = {
	{ 'r', IO_OPT_OR, offsetof(struct mmap_opts, prot), PROT_READ, NULL, "readable", NULL },
	{ 'w', IO_OPT_OR, offsetof(struct mmap_opts, prot), PROT_WRITE, NULL, "writable", NULL },
	{ 'x', IO_OPT_OR, offsetof(struct mmap_opts, prot), PROT_EXEC, NULL, "executable", NULL },
	{ 'S', IO_OPT_FLAG, offsetof(struct mmap_opts, sync), 0, NULL, "MAP_SYNC | MAP_SHARED_VALIDATE", NULL },
	{ 's', IO_OPT_SIZE, offsetof(struct mmap_opts, reserve), 0, "size",
	  "map and unmap so many bytes before, to have room behind the mapping", "size argument" },
	{ 0 },
};

/* Adds a mapping and makes it the current one. Returns 0 or -1 (errno). */
static int add_map(struct io *io, const struct io_map *m)
{
	struct io_map *maps = realloc(io->maps, (io->n_maps + 1) * sizeof(*maps));
	if (!maps)
		return -1;
	io->maps = maps;
	maps[io->n_maps] = *m;
	maps[io->n_maps].name = strdup(io_current(io)->name);
	if (!maps[io->n_maps].name)
		return -1;
	io->current_map = io->n_maps++;
	return 0;
}

static int map_range(struct io *io, struct io_call *c)
{
	const struct mmap_opts *o = c->opts;
	int64_t offset, length;
	if (!io_range(io, c->argv, &offset, &length))
		return IO_FAIL;
	if ((uint64_t)length > SIZE_MAX) {
		errno = ENOMEM;
		return io_perror("mmap");
	}
	struct io_map m = { .length = (size_t)length, .offset = offset,
		.prot = o->prot ? (int)o->prot : PROT_READ | PROT_WRITE | PROT_EXEC };
	void *hint = NULL;
	if (o->reserve > 0) {
		hint = mmap(NULL, (size_t)o->reserve, m.prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (hint == MAP_FAILED)
			return io_perror("mmap");
		munmap(hint, (size_t)o->reserve);
	}
	int flags = o->sync ? MAP_SYNC | MAP_SHARED_VALIDATE : MAP_SHARED;
	void *addr = mmap(hint, m.length, m.prot, flags, io_current(io)->fd, offset);
	if (addr == MAP_FAILED)
		return io_perror("mmap");
	m.addr = addr;
	if (add_map(io, &m) < 0) {
		int res = io_perror("mmap");
		munmap(addr, m.length);
		return res;
	}
	return IO_OK;
}

static int mmap_run(struct io *io, struct io_call *c)
{
	if (!io->n_files) {		/* unlike for other commands this is a failure */
		fprintf(stderr, "no files are open, try 'help open'\n");
		return IO_FAIL;
	}
	if (c->argc < 2 && !c->seen && !io->n_maps) {
		fprintf(stderr, "no mapped regions, try 'help mmap'\n");
		return IO_FAIL;
	}
	if (c->argc == 0 && !c->seen) {
		io_print_maps(io, false);
		return IO_OK;
	}
	if (c->argc == 1 && !c->seen) {
		size_t i;
		if (!io_index(c->argv[0], io->n_maps, "mapping number", &i))
			return IO_FAIL;
		io->current_map = i;
		io_print_maps(io, false);
		return IO_OK;
	}
	return c->argc == 2 ? map_range(io, c) : io_usage(c);
}

static int munmap_run(struct io *io, struct io_call *c)
{
	(void)c;
	struct io_map *m = &io->maps[io->current_map];
	if (munmap(m->addr, m->length) < 0)
		return io_perror("munmap");
	free(m->name);
	io->n_maps--;
	memmove(m, m + 1, (io->n_maps - io->current_map) * sizeof(*m));
	if (io->current_map >= io->n_maps)
		io->current_map = io->n_maps ? io->n_maps - 1 : 0;
	io_print_maps(io, false);
	return IO_OK;
}

struct mremap_opts {
	bool move;
	int64_t address;
};

static const struct io_opt mremap_options[] = {
	{ 'f', IO_OPT_SIZE, offsetof(struct mremap_opts, address), 0, "addr", "move it to this address (MREMAP_FIXED)",
	  "address" },
	{ 'm', IO_OPT_FLAG, offsetof(struct mremap_opts, move), 0, NULL, "it may move (MREMAP_MAYMOVE)", NULL },
	{ 0 },
};

static int mremap_run(struct io *io, struct io_call *c)
{
	const struct mremap_opts *o = c->opts;
	struct io_map *m = &io->maps[io->current_map];
	int64_t length;
	if (c->argc != 1)
		return io_usage(c);
	if (!io_size(io, c->argv[0], "offset argument", &length))
		return IO_FAIL;
	int flags = o->address ? MREMAP_FIXED | MREMAP_MAYMOVE : o->move ? MREMAP_MAYMOVE : 0;
	void *to = o->address ? mremap(m->addr, m->length, (size_t)length, flags, (void *)(uintptr_t)o->address)
		: mremap(m->addr, m->length, (size_t)length, flags);
	if (to == MAP_FAILED)
		return io_perror("mremap");
	m->addr = to;
	m->length = (size_t)length;
	return IO_OK;
}

const struct io_command io_mmap_commands[] = {
	{ .name = "mmap", .alias = "mm", .args = "[N] | [-rwxS] [-s size] [off len]",
	  .oneline = "map a range of the file into memory; list or choose mappings", .opts = mmap_options,
	  .about = " Without arguments it lists the mappings, with one it makes that mapping the current one.\n"
		" Without -r, -w and -x the mapping allows all three.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT, .run = mmap_run },
	{ .name = "munmap", .alias = "mu", .args = "", .oneline = "drop the current mapping, list the others",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NEEDMAP, .run = munmap_run },
	{ .name = "mremap", .alias = "mrm", .args = "[-m|-f addr] newsize",
	  .oneline = "change the size of the current mapping",
	  .opts = mremap_options, .argmin = 1, .argmax = 3, .flags = IO_FOREIGN | IO_NEEDMAP, .run = mremap_run },
	{ 0 },
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* scrub.c - scrub, scrubv, repair: the kernel's own check of metadata (format sheet 09, section 8). */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum scrub_kind { KIND_NONE, KIND_AG, KIND_INODE, KIND_GROUP, KIND_METAPATH };

/* The kernel's numbers are the places in this list. */
static const struct scrub_type {
	const char *name;
	enum scrub_kind kind;
} types[] = {
	{ "probe", KIND_NONE }, { "sb", KIND_AG }, { "agf", KIND_AG }, { "agfl", KIND_AG }, { "agi", KIND_AG },
	{ "bnobt", KIND_AG }, { "cntbt", KIND_AG }, { "inobt", KIND_AG }, { "finobt", KIND_AG }, { "rmapbt", KIND_AG },
	{ "refcountbt", KIND_AG }, { "inode", KIND_INODE }, { "bmapbtd", KIND_INODE }, { "bmapbta", KIND_INODE },
	{ "bmapbtc", KIND_INODE }, { "directory", KIND_INODE }, { "xattr", KIND_INODE }, { "symlink", KIND_INODE },
	{ "parent", KIND_INODE }, { "rtbitmap", KIND_GROUP }, { "rtsummary", KIND_GROUP }, { "usrquota", KIND_NONE },
	{ "grpquota", KIND_NONE }, { "prjquota", KIND_NONE }, { "fscounters", KIND_NONE }, { "quotacheck", KIND_NONE },
	{ "nlinks", KIND_NONE }, { "healthy", KIND_NONE }, { "dirtree", KIND_INODE }, { "metapath", KIND_METAPATH },
	{ "rgsuper", KIND_GROUP }, { "rtrmapbt", KIND_GROUP }, { "rtrefcountbt", KIND_GROUP },
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static const char *const metapaths[] = {
	"probe", "rtdir", "rtbitmap", "rtsummary", "quotadir", "usrquota", "grpquota", "prjquota", "rtrmapbt",
	"rtrefcountbt",
};

static bool find_metapath(const char *text, uint64_t *number)
{
	for (size_t i = 0; i < sizeof(metapaths) / sizeof(metapaths[0]); i++)
		if (!strcmp(metapaths[i], text)) {
			*number = i;
			return true;
		}
	return io_parse_u64(text, UINT32_MAX, number);
}

/* Inode and generation; none: the current file. */
static bool parse_inode(int argc, char **argv, struct xfs_scrub_request *r)
{
	uint64_t ino, gen;
	if (argc == 0)
		return true;
	if (argc != 2) {
		fprintf(stderr, "Must specify inode number and generation.\n");
		return false;
	}
	if (!io_parse_u64(argv[0], UINT64_MAX, &ino)) {
		fprintf(stderr, "Bad inode number '%s'.\n", argv[0]);
		return false;
	}
	if (!io_parse_u64(argv[1], UINT32_MAX, &gen)) {
		fprintf(stderr, "Bad generation number '%s'.\n", argv[1]);
		return false;
	}
	r->ino = ino;
	r->gen = (uint32_t)gen;
	return true;
}

/* Operands behind the type; false after a message. */
static bool parse_place(const struct scrub_type *t, int argc, char **argv, struct xfs_scrub_request *r)
{
	uint64_t v;
	switch (t->kind) {
	case KIND_NONE:
		if (argc)
			fprintf(stderr, "No parameters allowed.\n");
		return !argc;
	case KIND_INODE:
		return parse_inode(argc, argv, r);
	case KIND_METAPATH:
		if (argc == 1 && find_metapath(argv[0], &v)) {
			r->ino = v;
			return true;
		}
		fprintf(stderr, argc == 1 ? "Unknown metapath '%s'.\n" : "Must specify metapath.\n", argv[0]);
		return false;
	default:
		break;
	}
	const char *what = t->kind == KIND_AG ? "AG" : "rtgroup";
	/* filesystems without groups have one bitmap and one summary */
	if (argc == 0 && t->kind == KIND_GROUP && (!strcmp(t->name, "rtbitmap") || !strcmp(t->name, "rtsummary")))
		return true;
	if (argc != 1) {
		fprintf(stderr, "Must specify one %s number.\n", what);
		return false;
	}
	if (!io_parse_u64(argv[0], UINT32_MAX, &v)) {
		fprintf(stderr, "Bad %s number '%s'.\n", what, argv[0]);
		return false;
	}
	r->agno = (uint32_t)v;
	return true;
}

/* Index of the type; TYPES when there is none. */
static size_t find_type(const char *name)
{
	size_t t = 0;
	while (t < TYPES && strcmp(types[t].name, name))
		t++;
	return t;
}

/* What the kernel found, one line each. */
static void print_findings(uint32_t flags)
{
	static const struct { uint32_t flag; const char *text; } texts[] = {
		{ XFS_SCRUB_CORRUPT, "Corruption detected." }, { XFS_SCRUB_PREEN, "Optimization possible." },
		{ XFS_SCRUB_XFAIL, "Cross-referencing failed." },
		{ XFS_SCRUB_XCORRUPT, "Corruption detected during cross-referencing." },
		{ XFS_SCRUB_INCOMPLETE, "Scan was not complete." },
		{ XFS_SCRUB_WARNING, "Suspicious metadata found." },
		{ XFS_SCRUB_NO_REPAIR_NEEDED, "Metadata did not need repair or optimization." },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (flags & texts[i].flag)
			puts(texts[i].text);
}

struct repair_opts {
	bool rebuild;
};

static const struct io_opt scrub_options[] = { { 0 } };

static const struct io_opt repair_options[] = {
	{ 'R', IO_OPT_FLAG, offsetof(struct repair_opts, rebuild), 0, NULL, "rebuild it even when nothing is wrong",
	  NULL },
	{ 0 },
};

static int scrub_one(struct io *io, struct io_call *c, uint32_t flags)
{
	struct xfs_scrub_request r;
	if (!c->argc)
		return io_usage(c);
	size_t t = find_type(c->argv[0]);
	if (t == TYPES) {
		printf("Unknown type '%s'.\n", c->argv[0]);
		return io_usage(c);
	}
	memset(&r, 0, sizeof(r));
	r.type = (uint32_t)t;
	r.flags = flags;
	if (!parse_place(&types[t], c->argc - 1, c->argv + 1, &r))
		return IO_FAIL;
	if (ioctl(io_current(io)->fd, XFS_IOCTL_SCRUB, &r) < 0)
		return io_perror(c->cmd->name);
	print_findings(r.flags);
	return IO_OK;
}

static int scrub_run(struct io *io, struct io_call *c)
{
	return scrub_one(io, c, 0);
}

static int repair_run(struct io *io, struct io_call *c)
{
	const struct repair_opts *o = c->opts;
	return scrub_one(io, c, XFS_SCRUB_REPAIR | (o->rebuild ? XFS_SCRUB_FORCE_REBUILD : 0));
}

/* Several types in one call; "barrier" stops it when something before was found. */
static int scrubv_run(struct io *io, struct io_call *c)
{
	struct xfs_scrub_vector v[TYPES + 16];
	struct xfs_scrub_vectors head;
	int n = c->argc, res = IO_OK;
	memset(&head, 0, sizeof(head));
	memset(v, 0, sizeof(v));
	if (!n || (size_t)n > sizeof(v) / sizeof(v[0]))
		return io_usage(c);
	for (int i = 0; i < n; i++) {
		size_t t = find_type(c->argv[i]);
		bool barrier = !strcmp(c->argv[i], "barrier");
		if (t == TYPES && !barrier) {
			printf("Unknown type '%s'.\n", c->argv[i]);
			return io_usage(c);
		}
		v[i].type = barrier ? XFS_SCRUB_BARRIER : (uint32_t)t;
	}
	head.count = (uint16_t)n;
	head.vectors = (uintptr_t)v;
	if (ioctl(io_current(io)->fd, XFS_IOCTL_SCRUBV, &head) < 0)
		return io_perror("scrubv");
	for (int i = 0; i < n; i++) {
		if (v[i].type == XFS_SCRUB_BARRIER)
			continue;
		printf("%s:\n", c->argv[i]);
		if (v[i].ret) {
			errno = -v[i].ret;
			res = io_perror(c->argv[i]);
		}
		print_findings(v[i].flags);
	}
	return res;
}

#define TYPE_HELP \
	" Types: probe sb agf agfl agi bnobt cntbt inobt finobt rmapbt refcountbt inode bmapbtd bmapbta bmapbtc\n" \
	" directory xattr symlink parent rtbitmap rtsummary usrquota grpquota prjquota fscounters quotacheck nlinks\n" \
	" healthy dirtree metapath rgsuper rtrmapbt rtrefcountbt.\n"

const struct io_command io_scrub_commands[] = {
	{ .name = "scrub", .alias = "sc", .args = "type [agno|ino gen|metapath]",
	  .oneline = "let the kernel check metadata", .opts = scrub_options,
	  .about = " Without an inode the current file is checked.\n" TYPE_HELP,
	  .argmin = 1, .argmax = IO_ANY, .flags = IO_HIDDEN, .run = scrub_run },
	{ .name = "scrubv", .args = "type...", .oneline = "let the kernel check several kinds of metadata in one call",
	  .opts = scrub_options,
	  .about = " The word barrier ends the call when something before it was found.\n" TYPE_HELP, .argmin = 1,
	  .argmax = IO_ANY, .flags = IO_HIDDEN, .run = scrubv_run },
	{ .name = "repair", .alias = "fix", .args = "[-R] type [agno|ino gen|metapath]",
	  .oneline = "let the kernel repair metadata", .opts = repair_options, .about = TYPE_HELP,
	  .argmin = 1, .argmax = IO_ANY, .flags = IO_EXPERT, .run = repair_run },
	{ 0 },
};

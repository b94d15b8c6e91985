/* SPDX-License-Identifier: BSD-2-Clause */
/* command.c - the command table: finding a command, its options, running it, and `help`. */
#include "io/io.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct io_command *const families[] = {
	io_file_commands, io_pwrite_commands, io_pread_commands, io_sync_commands, io_prealloc_commands,
	io_link_commands, io_copy_commands, io_exchange_commands, io_update_commands, io_bmap_commands,
	io_fiemap_commands, io_fsmap_commands, io_stat_commands, io_statx_commands, io_statfs_commands,
	io_attr_commands, io_projid_commands, io_extsize_commands, io_seek_commands, io_readdir_commands,
	io_advise_commands, io_mmap_commands, io_mapio_commands, io_freeze_commands, io_inject_commands,
	io_inode_commands, io_parent_commands, io_bulkstat_commands, io_label_commands, io_times_commands,
	io_encrypt_commands, io_verity_commands, io_scrub_commands, io_fsprop_commands, io_aginfo_commands,
	io_misc_commands, io_help_commands,
};

/* Set up once at the start and constant from then on. */
static const struct io_command **table;
static size_t n_table;

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct io_command *const *)a)->name, (*(const struct io_command *const *)b)->name);
}

int io_commands_setup(void)
{
	size_t n = 0;
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++)
		for (const struct io_command *c = families[f]; c->name; c++)
			n++;
	table = calloc(n, sizeof(*table));
	if (!table)
		return -1;
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++)
		for (const struct io_command *c = families[f]; c->name; c++)
			table[n_table++] = c;
	qsort(table, n_table, sizeof(*table), by_name);
	return 0;
}

void io_commands_free(void)
{
	free(table);
	table = NULL;
	n_table = 0;
}

const struct io_command *const *io_commands_all(size_t *n)
{
	*n = n_table;
	return table;
}

const struct io_command *io_command_find(const struct io *io, const char *name)
{
	for (size_t i = 0; i < n_table; i++) {
		const struct io_command *c = table[i];
		if (!io->expert && (c->flags & IO_EXPERT))
			continue;
		if (!strcmp(c->name, name) || (c->alias && !strcmp(c->alias, name)))
			return c;
	}
	return NULL;
}

static void print_synopsis(const struct io_command *c, const char *name)
{
	printf("%s %s%s-- %s\n", name, c->args, *c->args ? " " : "", c->oneline);
}

int io_usage(const struct io_call *c)
{
	print_synopsis(c->cmd, c->cmd->name);
	return IO_FAIL;
}

/* --- options --- */

/* Bit of a letter in io_call.seen; the digits 0 to 9 follow the letters. */
static uint64_t seen_bit(char letter)
{
	unsigned at = letter >= 'a' ? (unsigned)(letter - 'a') : letter >= 'A' ? (unsigned)(letter - 'A') + 26
		: (unsigned)(letter - '0') + 52;
	return UINT64_C(1) << at;
}

bool io_seen(const struct io_call *c, char letter)
{
	return (c->seen & seen_bit(letter)) != 0;
}

/* Stores one option. Returns false after a message. */
static bool store_option(struct io *io, const struct io_opt *o, void *opts)
{
	void *to = (char *)opts + o->offset;
	int64_t v;
	switch (o->kind) {
	case IO_OPT_FLAG:
		*(bool *)to = true;
		return true;
	case IO_OPT_SET:
		*(int *)to = o->value;
		return true;
	case IO_OPT_OR:
		*(unsigned *)to |= (unsigned)o->value;
		return true;
	case IO_OPT_COUNT:
		++*(unsigned *)to;
		return true;
	case IO_OPT_TEXT:
		*(const char **)to = optarg;
		return true;
	case IO_OPT_SIZE:
		return io_size(io, optarg, o->what ? o->what : o->arg, to);
	case IO_OPT_U32:
		if (!io_parse_size(io->n_files ? io_current(io) : NULL, optarg, &v) || v < 0 || v > UINT32_MAX) {
			printf("non-numeric %s -- %s\n", o->what ? o->what : o->arg, optarg);
			return false;
		}
		*(uint32_t *)to = (uint32_t)v;
		return true;
	default:
		return false;
	}
}

/* Parses the words behind the name; fills call's operands and opts. Returns an enum io_result. */
static int parse_options(struct io *io, struct io_call *call, int argc, char **argv, void *opts)
{
	char spec[2 * 64 + 2];
	size_t n = 0;
	for (const struct io_opt *o = call->cmd->opts; o->letter; o++) {
		spec[n++] = o->letter;
		if (o->arg)
			spec[n++] = ':';
	}
	spec[n] = '\0';

	optind = 0;		/* glibc: start anew */
	int letter;
	while ((letter = getopt(argc, argv, spec)) != -1) {
		const struct io_opt *o = call->cmd->opts;
		while (o->letter && o->letter != letter)
			o++;
		if (!o->letter)
			return io_usage(call);
		call->seen |= seen_bit(o->letter);
		if (!store_option(io, o, opts))
			return IO_FAIL;
	}
	call->argc = argc - optind;
	call->argv = argv + optind;
	return IO_OK;
}

/* --- running --- */

/* Messages for a wrong number of words; true when it is right. */
static bool check_count(const struct io_command *c, int n)
{
	if (n >= c->argmin && (c->argmax == IO_ANY || n <= c->argmax))
		return true;
	fprintf(stderr, "bad argument count %d to %s, expected ", n, c->name);
	if (c->argmax == IO_ANY)
		fprintf(stderr, "at least %d arguments\n", c->argmin);
	else if (c->argmin == c->argmax)
		fprintf(stderr, "%d arguments\n", c->argmin);
	else
		fprintf(stderr, "between %d and %d arguments\n", c->argmin, c->argmax);
	return false;
}

/* What stands in the way of running c now, other than its arguments; prints it. */
static bool is_ready(struct io *io, const struct io_command *c)
{
	if (!(c->flags & IO_NOFILE) && !io->n_files && !(c->flags & IO_NEEDMAP)) {
		fprintf(stderr, "no files are open, try 'help open'\n");
		return false;
	}
	if ((c->flags & IO_NEEDMAP) && !io->n_maps) {
		fprintf(stderr, "no mapped regions, try 'help mmap'\n");
		return false;
	}
	if (!(c->flags & (IO_FOREIGN | IO_NOFILE)) && io_current(io)->foreign) {
		fprintf(stderr, "foreign file active, %s command is for XFS filesystems only\n", c->name);
		return false;
	}
	return true;
}

static int run_once(struct io *io, const struct io_command *c, int argc, char **argv)
{
	union {
		max_align_t align;
		char bytes[IO_OPTS_MAX];
	} opts;
	if (!is_ready(io, c) || !check_count(c, argc - 1))
		return IO_OK;

	/* getopt() moves words about, and -c may run the same ones for the next file */
	char **words = malloc(((size_t)argc + 1) * sizeof(*words));
	if (!words)
		return io_perror(c->name);
	memcpy(words, argv, ((size_t)argc + 1) * sizeof(*words));
	memset(&opts, 0, sizeof(opts));
	struct io_call call = { .cmd = c, .argc = argc - 1, .argv = words + 1, .opts = &opts };
	int res = c->opts ? parse_options(io, &call, argc, words, &opts) : IO_OK;
	if (res == IO_OK)
		res = c->run(io, &call);
	free(words);
	return res;
}

/* Runs once, or once for each open file in their order; the current file stays the same unless c changes it. */
static int run_words(struct io *io, int argc, char **argv, bool per_file)
{
	const struct io_command *c = io_command_find(io, argv[0]);
	if (!c) {
		fprintf(stderr, "command \"%s\" not found\n", argv[0]);
		return IO_OK;
	}
	if (!per_file || (c->flags & IO_ONESHOT))
		return run_once(io, c, argc, argv);
	if (c->flags & IO_NOFILE && !io->n_files)
		return run_once(io, c, argc, argv);
	int res = IO_OK;
	size_t current = io->current;
	for (size_t i = 0; i < io->n_files && !(res & IO_STOP); i++) {
		io->current = i;
		res |= run_once(io, c, argc, argv);
	}
	io->current = current;
	return res;
}

int io_run_line(struct io *io, const char *line, bool per_file)
{
	int res = IO_FAIL;
	size_t n = 0;
	char *copy = strdup(line);
	/* at most one word for two characters */
	char **words = calloc(strlen(line) / 2 + 2, sizeof(*words));
	if (!copy || !words) {
		io_perror(io->prog);
		goto out;
	}
	char *save = NULL;
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	res = n ? run_words(io, (int)n, words, per_file) : IO_OK;
	if (res & IO_FAIL)
		io->failed = true;
out:
	free(words);
	free(copy);
	return res;
}

/* --- help --- */

static void print_help(const struct io_command *c, const char *name)
{
	print_synopsis(c, name);
	if (!c->about && (!c->opts || !c->opts->letter))
		return;
	putchar('\n');
	if (c->about)
		printf("%s\n", c->about);
	for (const struct io_opt *o = c->opts; o && o->letter; o++)
		printf(" -%c%s%s -- %s\n", o->letter, o->arg ? " " : "", o->arg ? o->arg : "", o->help);
	putchar('\n');
}

static int help_run(struct io *io, struct io_call *call)
{
	if (call->argc == 0) {
		for (size_t i = 0; i < n_table; i++)
			if (io->expert || !(table[i]->flags & (IO_EXPERT | IO_HIDDEN)))
				print_synopsis(table[i], table[i]->name);
		printf("\nUse 'help commandname' for extended help.\n");
		return IO_OK;
	}
	const struct io_command *c = io_command_find(io, call->argv[0]);
	if (!c)
		printf("command %s not found\n", call->argv[0]);
	else
		print_help(c, call->argv[0]);
	return IO_OK;
}

const struct io_command io_help_commands[] = {
	{ .name = "help", .alias = "?", .args = "[command]", .oneline = "list all commands, or explain one",
	  .argmin = 0, .argmax = 1, .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT, .run = help_run },
	{ 0 },
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io.h - what all files of xfs_io share: the session, the command table, numbers and reports.
 *
 * xfs_io keeps a table of open files and one of memory mappings and runs commands on the current one of each.  A
 * command is one row of a table (struct io_command): its name, how many words it takes, its options, its help and the
 * function that does the work.  Options are declared, not parsed by hand: the same rows parse them, print them in
 * `help NAME` and complete them.
 *
 * Texts and exit codes are a contract (format sheet 09): scripts and test suites compare them.  So messages go out just
 * as the sheet has them, results to stdout, failing calls to stderr, and stdout keeps libc's default buffering.
 * Layer: tool. Uses of the library only base helpers that have no state.
 */
#ifndef XFSKIT_IO_H
#define XFSKIT_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What a command says about itself; flags, so that a failing command can stop the list as well. */
enum io_result {
	IO_OK = 0,
	IO_FAIL = 1,		/* the process exits 1 in the end; later commands still run */
	IO_STOP = 2,		/* no further command runs */
};

/* How a file was opened, beside what the kernel keeps in the descriptor's flags. */
enum io_open_flag {
	IO_READONLY = 1u << 0,
	IO_SYNC = 1u << 1,
	IO_DIRECT = 1u << 2,
	IO_REALTIME = 1u << 3,
	IO_APPEND = 1u << 4,
	IO_NONBLOCK = 1u << 5,
	IO_TMPFILE = 1u << 6,
	IO_PATH = 1u << 7,
	IO_NOFOLLOW = 1u << 8,
	IO_CREATE = 1u << 9,
	IO_TRUNCATE = 1u << 10,
};

struct io_update;		/* update.c: an atomic update in progress */

struct io_file {
	int fd;
	char *name;		/* as given */
	unsigned flags;		/* enum io_open_flag */
	bool foreign;		/* not on XFS */
	uint32_t block_size;	/* units of the suffixes b and s: 4096 and 512 for foreign files */
	uint32_t sector_size;
	bool pinned;		/* part of an atomic update: can't be closed */
	struct io_update *update;	/* set for the staging file of an atomic update; it owns the structure */
};

struct io_map {
	unsigned char *addr;
	size_t length;
	off_t offset;		/* of its first byte in the file */
	int prot;
	char *name;
};

struct io {
	const char *prog;	/* for messages and the prompt */
	bool expert;
	bool failed;		/* exit 1 in the end */
	struct io_file *files;
	size_t n_files, current;
	struct io_map *maps;
	size_t n_maps, current_map;
};

/* The current file; only when n_files > 0, which the dispatcher sees to unless the command has IO_NOFILE. */
static inline struct io_file *io_current(struct io *io)
{
	return &io->files[io->current];
}

/* --- options --- */

enum io_opt_kind {
	IO_OPT_FLAG,		/* bool: true */
	IO_OPT_SET,		/* int: the row's value, the last one wins */
	IO_OPT_OR,		/* unsigned: the row's value or-ed in */
	IO_OPT_COUNT,		/* unsigned: how often */
	IO_OPT_TEXT,		/* const char *: the argument */
	IO_OPT_SIZE,		/* int64_t: a number with suffix, not negative */
	IO_OPT_U32,		/* uint32_t: a number with suffix */
};

struct io_opt {
	char letter;
	unsigned char kind;		/* enum io_opt_kind */
	unsigned short offset;		/* of the result in the command's option structure */
	int value;
	const char *arg;		/* name of the argument in the help; NULL: takes none */
	const char *help;
	const char *what;		/* for "non-numeric WHAT -- TEXT" */
};

struct io_call;

enum io_command_flag {
	IO_FOREIGN = 1u << 0,		/* works on files of any filesystem */
	IO_NOFILE = 1u << 1,		/* needs no open file */
	IO_ONESHOT = 1u << 2,		/* -c runs it once, not once per file */
	IO_NEEDMAP = 1u << 3,		/* needs a memory mapping */
	IO_EXPERT = 1u << 4,		/* only with -x */
	IO_HIDDEN = 1u << 5,		/* the help lists it only with -x */
};

#define IO_ANY (-1)			/* argmax: as many as you like */

struct io_command {
	const char *name, *alias;
	const char *args;		/* synopsis, "" for none */
	const char *oneline;
	const char *about;		/* further paragraphs for `help NAME`, may be NULL */
	const struct io_opt *opts;	/* ends with letter 0; NULL: words are not looked at for options */
	short argmin, argmax;		/* words behind the name, options included */
	unsigned flags;
	int (*run)(struct io *, struct io_call *);	/* enum io_result */
};

#define IO_OPTS_MAX 256			/* bytes of a command's option structure */

struct io_call {
	const struct io_command *cmd;
	int argc;			/* operands, options taken out */
	char **argv;			/* operands; argv[argc] is NULL */
	const void *opts;		/* the command's option structure, zero where nothing was given */
	uint64_t seen;			/* see io_seen() */
};

/* True when option `letter` was given. */
bool io_seen(const struct io_call *c, char letter);

/* Families of commands; each list ends with a row without name. */
extern const struct io_command io_file_commands[], io_pwrite_commands[], io_pread_commands[], io_sync_commands[],
	io_prealloc_commands[], io_link_commands[], io_copy_commands[], io_exchange_commands[], io_update_commands[],
	io_bmap_commands[], io_fiemap_commands[], io_fsmap_commands[], io_stat_commands[], io_statx_commands[],
	io_statfs_commands[], io_attr_commands[], io_projid_commands[], io_extsize_commands[], io_seek_commands[],
	io_readdir_commands[], io_advise_commands[], io_mmap_commands[], io_mapio_commands[], io_freeze_commands[],
	io_inject_commands[], io_inode_commands[], io_parent_commands[], io_bulkstat_commands[], io_label_commands[],
	io_times_commands[], io_encrypt_commands[], io_verity_commands[], io_scrub_commands[], io_fsprop_commands[],
	io_aginfo_commands[], io_misc_commands[], io_help_commands[];

/* --- command.c --- */
/* Sorts and checks the table. Returns 0, or -1 without memory. */
int io_commands_setup(void);
void io_commands_free(void);
/* By name or alias; NULL when unknown, or hidden from non-experts. */
const struct io_command *io_command_find(const struct io *io, const char *name);
/* All rows in the order of their names. */
const struct io_command *const *io_commands_all(size_t *n);
/* Splits the line at blanks and runs it. per_file: once per open file unless the command is a oneshot. */
int io_run_line(struct io *io, const char *line, bool per_file);
/* Prints the synopsis on stdout; returns IO_FAIL. */
int io_usage(const struct io_call *c);

/* --- number.c --- */
/* C number with one optional suffix b s k m g t p e. False when text is anything else or out of range. */
bool io_parse_size(const struct io_file *f, const char *text, int64_t *value);
/* The same for an operand; prints "non-numeric WHAT -- TEXT" when it is none, or negative. */
bool io_size(struct io *io, const char *text, const char *what, int64_t *value);
/* io_size() for the usual pair; argv[0] and argv[1]. */
bool io_range(struct io *io, char **argv, int64_t *offset, int64_t *length);
/* Plain number in C syntax, whole text, within 0..max. */
bool io_parse_u64(const char *text, uint64_t max, uint64_t *value);
/* Signed plain number. */
bool io_parse_i64(const char *text, int64_t *value);
/* Index in 0..n-1; prints "value N is out of range (0-M)" when it is not. */
bool io_index(const char *text, size_t n, const char *value, size_t *index);

/* --- report.c --- */
/* "WHAT: strerror" on stderr; returns IO_FAIL. */
int io_perror(const char *what);
/* Seconds on a clock that does not jump. */
double io_now(void);
enum { IO_TEXT_SIZE = 64 };
/* "4 KiB", "1.057 GiB", "40.000000 bytes" */
void io_format_size(double value, char text[IO_TEXT_SIZE]);
struct io_report {
	const char *verb;
	int64_t offset, requested;	/* bytes */
	int64_t done, ops;
	double seconds;
};
/* The two timing lines, or with csv one line of numbers. */
void io_report(const struct io_report *r, bool csv);
/* One or more lines of a dump: 16 bytes a line, `label` is the offset shown for the first one. */
void io_dump(uint64_t label, const unsigned char *bytes, size_t len);

/* --- open.c --- */
/* Opens path with enum io_open_flag; prints what fails. Returns a descriptor or -1. */
int io_open(const char *path, unsigned flags, mode_t mode);
/* Opens path and adds it to the table as the current file; prints what fails. Returns an enum io_result. */
int io_add_file(struct io *io, const char *path, unsigned flags, mode_t mode);
/* Takes the descriptor over; the name is copied. Returns 0 or -1 (no memory, nothing closed). */
int io_add_fd(struct io *io, int fd, const char *name, unsigned flags);
void io_drop_file(struct io *io, size_t index);
void io_free_all(struct io *io);
/* "non-sync,non-direct,read-write..." */
void io_print_flags(const struct io_file *f);
/* Source of copy_range, sendfile and splice: file N of the table, or a path that is opened (*opened: close it). */
int io_source(struct io *io, const char *number, const char *path, bool *opened);

/* --- mmap.c, stat.c: for `print` and `open` --- */
void io_print_maps(const struct io *io, bool only_current);
int io_print_stat(struct io *io, bool verbose);

/* --- input.c --- */
/* Reads commands from stdin until its end or `quit`. */
void io_interact(struct io *io);

/* --- walk.c --- */
/*
 * Calls fn for path and everything below it that is on the same filesystem, children before their directory; with
 * dirs_only only for directories.  What can't be opened is reported ("PROG: cannot open PATH: ...").  fn gets an open
 * descriptor.  Returns IO_FAIL when anything failed.
 */
int io_walk(struct io *io, const char *path, bool dirs_only,
	int (*fn)(struct io *io, const char *path, int fd, mode_t mode, void *arg), void *arg);

#endif

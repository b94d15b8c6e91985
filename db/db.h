/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * db.h - the debugger: one open filesystem, a stack of positions, a ring of those before, and commands on them.
 *
 * The filesystem is read without judging it, so that a broken one can be looked at.  Positions hold their own copy of
 * the bytes, read past the cache of the library.  All ordinary output goes through db_out(), complaints of verifiers go
 * to stderr (format sheet 07, sections 2 and 3).
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "libxfs/inode/fork.h"
#include "libxfs/mount/fs.h"
#include "libxfs/ondisk/blocktypes.h"
#include "libxfs/ondisk/print.h"

#include <stdio.h>

#define DB_RING 20u

enum db_device { DB_DATA, DB_LOG, DB_RT };

/* Where a level is. Offsets and lengths in bytes unless said. */
struct db_place {
	const struct xfs_blocktype *type;	/* NULL: none */
	enum db_device dev;
	uint64_t daddr;				/* of the buffer, 512-byte sectors */
	unsigned bbs;				/* sectors of the buffer; 0 = nothing is loaded */
	uint32_t off, len;			/* the object in the buffer */
	uint64_t ino, dirino;			/* XFS_NULL64 = none */
	unsigned mode;				/* of ino */
	unsigned nmap;				/* > 1: the buffer lies in pieces */
	struct xfs_buf_extent map[XFS_BUF_MAXEXTENTS];
};

struct db_editor;			/* prompt.h */

struct db_level {
	struct db_place at;
	uint8_t *buf;				/* bbs sectors */
	enum xfs_crc_state crc;
};

struct db {
	struct xfs_fs *fs;
	struct xfs_devset dev;
	const char *prog, *device;		/* for messages; as given */
	bool expert, readonly, quit;
	int status;				/* of the program */
	uint32_t agno;				/* current AG; XFS_NULL32 = none */
	/* [0] is the base: empty, never shown; going anywhere from it pushes first */
	struct db_level *levels;
	unsigned depth, room;			/* index of the top; allocated */
	struct db_place *ring;			/* DB_RING of them */
	unsigned nring, ring_at;
	FILE *log;				/* copy of the output, or NULL */
	unsigned sourced;			/* depth of files being run */
	uint64_t complained;			/* daddr of the header that was found bad at the start, or XFS_NULL64 */
	struct db_editor *editor;		/* of the terminal that commands come from, or NULL */
};

struct db_command {
	const char *name, *alias;
	int min, max;				/* arguments; max -1: any number */
	bool push;				/* has a push form */
	void (*run)(struct db *, int argc, char **argv);	/* argv[0] is the command */
	const char *args, *line, *help;		/* help: what `help NAME` says behind the line, or NULL */
};

/* ---- output ---- */
void db_out(struct db *, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct xfs_text_sink db_sink(struct db *);

/* ---- command.c ---- */
extern const struct db_command db_commands[];		/* sorted by name; ends with name NULL */
const struct db_command *db_command_find(const char *name);
/* Splits and runs one line, which is changed. */
void db_line_run(struct db *, char *line);
/* Runs lines of a file until its end or `quit`; prompts when `prompt`. */
void db_file_run(struct db *, FILE *, bool prompt);
/* A number, decimal, 0x or 0; false when there is anything else in the text. */
bool db_number(const char *text, uint64_t *out);

/* ---- cursor.c ---- */
int db_cursor_init(struct db *);
void db_cursor_free(struct db *);
struct db_level *db_top(struct db *);
/* A place that keeps inode, directory and mode of the current one. */
struct db_place db_place_new(struct db *, enum xfs_type, uint64_t daddr, uint32_t bytes);
/* Reads and verifies `p` and makes it the current position; adds it to the ring when `ring`. 0 or a negative code. */
int db_go(struct db *, const struct db_place *, bool ring);
void db_ring_add(struct db *, const struct db_place *);
/* Tables' view of the current object. */
struct xfs_ctx db_ctx(struct db *);
bool db_push(struct db *);
/* Bytes of an object that becomes this type; a sector where there are no fields. */
uint32_t db_type_bytes(struct db *, const struct xfs_blocktype *);
void db_place_show(struct db *, const struct db_place *);

/* ---- judge.c ---- */
/*
 * Verifies an object in memory, an inode with the buffer around it (p->off).  Complains, on stdout about checksums of
 * inodes and unknown blocks, else on stderr; nothing is refused.  Returns whether the checksum is right, whatever else
 * may be wrong.
 */
enum xfs_crc_state db_judge(struct db *, const struct db_place *, const uint8_t *object);
/* The same with AGF and AGI of all AGs, until one is not good. */
void db_judge_headers(struct db *);

/* ---- position.c ---- */
/* `any`: also where no inode can be, as long as its AG has the block. */
bool db_go_inode(struct db *, uint64_t ino, bool any);
bool db_go_fsblock(struct db *, uint64_t fsbno, enum xfs_type);
bool db_go_agblock(struct db *, uint32_t agbno, enum xfs_type);
/* Block of a fork of the current inode; `unmapped` is said when there is none. XT_NONE: the type by the inode. */
bool db_go_fileblock(struct db *, enum xfs_fork, uint64_t off, enum xfs_type, const char *unmapped);
/*
 * Where `n` blocks of a fork from `off` on lie, with device and length; several pieces when they do not touch.  False:
 * the first one is not mapped.  Others that are not count as lying behind the last one that is, so that what there is
 * of a block is shown.
 */
bool db_map_file(struct db *, struct xfs_ifork *, uint64_t off, unsigned n, struct db_place *p);
/* The type of the data of the current inode. */
enum xfs_type db_data_type(struct db *);

/* ---- replay.c ---- */
/* Covers the devices and replays the log there; says so. False: it cannot be replayed. */
bool db_replay(struct db *);

/* ---- commands, by file ---- */
#define DB_RUN(name) void db_run_##name(struct db *, int argc, char **argv)
DB_RUN(ablock); DB_RUN(addr); DB_RUN(agblock); DB_RUN(agf); DB_RUN(agfl); DB_RUN(agi); DB_RUN(back); DB_RUN(convert);
DB_RUN(daddr);
DB_RUN(dblock); DB_RUN(echo); DB_RUN(forward); DB_RUN(fsblock); DB_RUN(hash); DB_RUN(help); DB_RUN(inode); DB_RUN(log);
DB_RUN(logblock); DB_RUN(path); DB_RUN(pop); DB_RUN(print); DB_RUN(push); DB_RUN(quit); DB_RUN(ring); DB_RUN(rtblock);
DB_RUN(rtextent); DB_RUN(rtsb); DB_RUN(sb); DB_RUN(source);
DB_RUN(stack); DB_RUN(type);
DB_RUN(logprint);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* command.c - lines, the table of commands, and the commands about commands. */
#include "db/prompt.h"
#include "db/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

const struct db_command db_commands[] = {
	{ "ablock", NULL, 1, 1, true, db_run_ablock, "filoff", "set address to file offset (attr fork)", NULL },
	{ "addr", "a", 0, 1, true, db_run_addr, "[field-expression]", "set current address",
	  " Goes where a field of the current object leads: 'addr bnoroot' from an agf.\n"
	  " Without a field: shows the current address.\n" },
	{ "agblock", "agbno", 0, 1, true, db_run_agblock, "[agbno]", "set address to a block of the current AG",
	  " The current AG is that of the last AG header, inode or block gone to; AG 0 at first.\n" },
	{ "agf", NULL, 0, 1, true, db_run_agf, "[agno]", "set address to agf header", NULL },
	{ "agfl", NULL, 0, 1, true, db_run_agfl, "[agno]", "set address to agfl block", NULL },
	{ "agi", NULL, 0, 1, true, db_run_agi, "[agno]", "set address to agi header", NULL },
	{ "agresv", NULL, 0, -1, false, db_run_agresv, "[agno]...", "print AG reservation stats",
	  " Length and free blocks of allocation groups, blocks that the kernel keeps for their btrees, "
	  "and how many of\n"
	  " these are in use. Without numbers: all groups.\n" },
	{ "back", "b", 0, 0, false, db_run_back, "", "move to the previous location in the position ring", NULL },
	{ "bmap", NULL, 0, 5, false, db_run_bmap, "[-adj] [block [len]]", "show block map for current file",
	  " -a: of the attribute fork; -d: of the data fork; by default of both. With a block: "
	  "what lies in `len` blocks\n"
	  " from there on, one by default. flag 1: unwritten. -j: as JSON\n" },
	{ "btdump", "b", 0, 3, false, db_run_btdump, "[-a] [-i] [-j]", "dump btree",
	  " From a btree block, or from a node or leaf of a directory or of attributes: "
	  "that block, those right of it on its\n"
	  " level, and all below. From an inode: the tree of its data fork.\n"
	  " -a: of the attribute fork; -i: internal nodes too; -j: as JSON\n" },
	{ "btheight", "b", 1, -1, false, db_run_btheight,
	  "[-b blksz] [-n recs] [-w max|-w avg|-w min|-w absmax] [-j] btree types...",
	  "compute btree heights",
	  " Levels and blocks that a number of records takes in a btree of this kind, with full, "
	  "three-quarters full and\n"
	  " half full blocks. Kinds: all bnobt cntbt inobt finobt bmapbt refcountbt rmapbt rtrmapbt rtrefcountbt, or\n"
	  " record_bytes:key_bytes:pointer_bytes:header with header one of short, long, shortcrc, longcrc.\n"
	  " -b: block size; -n: records; -w: only the best (max), average (avg) or worst (min) case, "
	  "or (absmax) the most\n"
	  " levels on any filesystem; -j: as JSON\n" },
	{ "convert", NULL, 3, 9, false, db_run_convert, "type num [type num]... type",
			"convert from one address form to another",
	  " The parts given are added up; the last word is the wanted form. Forms:\n"
	  " agblock agbno, agino aginode, agnumber agno, bboff daddroff, blkoff fsboff agboff,\n"
	  " byte fsbyte, daddr bb, fsblock fsb fsbno, ino inode, inoidx offset, inooff inodeoff\n" },
	{ "daddr", NULL, 0, 2, true, db_run_daddr, "[-r|-l] [d]", "set address to daddr value",
	  " In sectors of 512 bytes, -l: on an external log device, -r: on the realtime device\n" },
	{ "dblock", NULL, 1, 1, true, db_run_dblock, "filoff", "set address to file offset (data fork)", NULL },
	{ "dump_iunlinked", NULL, 0, -1, false, db_run_dump_iunlinked, "[-a agno] [-b bucket] [-q] [-v]",
	  "dump chain of unlinked inode buckets",
	  " -a: of this allocation group; -b: this bucket; -q: no empty ones; -v: with the blocks of each inode\n" },
	{ "echo", NULL, 0, -1, false, db_run_echo, "[args]...", "echo arguments", NULL },
	{ "forward", "f", 0, 0, false, db_run_forward, "", "move forward to next entry in the position ring", NULL },
	{ "frag", NULL, 0, -1, false, db_run_frag, "[-a] [-d] [-f] [-l] [-q] [-R] [-r] [-v]",
	  "get file fragmentation data",
	  " Extents that there are, and that there would be if each run of the file lay in one piece. "
	  "By default of all; or\n"
	  " of -a: attribute forks, -d: directories, -f: files, -l: symbolic links, -q: quota, -R: "
	  "realtime bitmap and\n"
	  " summary, -r: realtime files. -v: a line for each inode\n" },
	{ "freesp", NULL, 0, -1, false, db_run_freesp,
	  "[-bcds] [-A alignment] [-a agno]... [-e binsize] [-h h1]... [-m binmult]",
	  "summarize free space for filesystem",
	  " Free extents by their length. Rows for lengths -b: by powers of two (default), -e: "
	  "of equal width, -m: by powers\n"
	  " of a number, -h: that start at the lengths given. -A: only extents aligned so; -a: "
	  "only these allocation groups;\n"
	  " -c: by the tree ordered by size; -d: list all extents; -s: totals\n" },
	{ "fsblock", "fsb", 0, 1, true, db_run_fsblock, "[fsb]", "set address to fsblock value", NULL },
	{ "fsmap", NULL, 0, 3, false, db_run_fsmap, "[-j] [start_fsb] [end_fsb]", "display reverse mapping(s)",
	  " Owner, file offset, fork of all blocks in use, or of those that touch a range of fsblocks. "
	  "Owners below zero are\n"
	  " metadata: -3 static, -4 log, -5 AG, -6 inode btrees, -7 inodes, -8 refcount btree, "
	  "-9 copy-on-write staging.\n"
	  " -j: as JSON\n" },
	{ "hash", NULL, 1, 3, false, db_run_hash, "[-d|-p parent_ino] string", "calculate hash value",
	  " -d: of a directory entry; -p: of the parent pointer of an entry in that directory\n" },
	{ "help", "?", 0, 1, false, db_run_help, "[command]", "help for one or all commands", NULL },
	{ "info", "i", 0, 0, false, db_run_info, "", "pretty-print superblock info",
	  " The geometry in the format of mkfs.xfs and xfs_info\n" },
	{ "inode", NULL, 0, 1, true, db_run_inode, "[inode#]", "set current inode", NULL },
	{ "label", NULL, 0, 1, false, db_run_label, "", "print filesystem label",
	  " Says too which secondary superblocks have another one\n" },
	{ "log", NULL, 0, 2, false, db_run_log, "[stop|start <filename>]", "start or stop logging to a file", NULL },
	{ "logblock", "lsb", 0, 1, true, db_run_logblock, "[logbno]", "set address to log block value", NULL },
	{ "logprint", NULL, 0, -1, false, db_run_logprint, "[-arvj] [-i inode] [-b fsblock] [-d daddr] [-t kind]",
	  "show what the log holds",
	  " Transactions between tail and head and the items in them; -a: all that the log still holds, -r: "
	  "records only,\n"
	  " -v: all fields, -j: as JSON. Only items that touch an inode (-i), a block (-b, -d), or of a kind (-t): "
	  "buf inode\n"
	  " dquot quotaoff icreate efi efd rui rud cui cud bui bud attri attrd xmi xmd, and efi_rt ... cud_rt\n" },
	{ "ls", "l", 0, -1, false, db_run_ls, "[-im] [paths...]", "list directory contents",
	  " Of the current directory, or of paths: cookie, inode number, type, hash, length of the name, name.\n"
	  " -i: only the inode number of each path, or the current one; -m: paths start at the metadata root\n" },
	{ "owner", NULL, 1, 2, false, db_run_owner, "[-j] fsblock", "tell who owns a block",
	  " Each owner of the block: kind of metadata or free space, or inode, fork, "
	  "offset in the file (blocks) and all\n"
	  " paths that lead to it. Without reverse mappings all inodes are read. -j: as JSON\n" },
	{ "parent", "pptr", 0, -1, false, db_run_parent, "[-m] [paths...]", "list parent pointers",
	  " Of the current inode, or of paths: inode number and generation of the directory, "
	  "length of the name, name.\n"
	  " -m: paths start at the metadata root\n" },
	{ "path", NULL, 1, 2, false, db_run_path, "[-m] path", "navigate to an inode by path",
	  " Relative paths start at the current inode; -m: from the root of the metadata directories\n" },
	{ "pop", NULL, 0, 0, false, db_run_pop, "", "pop location from the stack", NULL },
	{ "print", "p", 0, -1, false, db_run_print, "[-j] [value]...", "print field values",
	  " -j: as a JSON object\n" },
	{ "push", NULL, 0, -1, false, db_run_push, "[command]", "push location to the stack", NULL },
	{ "quit", "q", 0, 0, false, db_run_quit, "", "exit", NULL },
	{ "ring", NULL, 0, 1, false, db_run_ring, "[index]", "show position ring or move to a specific entry", NULL },
	{ "rmapbt", NULL, 4, 5, false, db_run_rmapbt, "query [-j] agno start len", "query reverse mappings of an AG",
	  " Every record that touches the blocks, with its low and high key (startblock, owner, offset, attrfork,\n"
	  " bmbtblock), then the blocks of the btree that were read for it, root first, "
	  "with the lowest and highest key\n"
	  " in each. -j: as JSON\n" },
	{ "rtblock", "rtbno", 0, 1, true, db_run_rtblock, "[rtbno]", "set address to rtblock value", NULL },
	{ "rtextent", "rtx", 0, 1, true, db_run_rtextent, "[rtxno]", "set address to rtextent value", NULL },
	{ "rtsb", NULL, 0, 0, true, db_run_rtsb, "", "set current address to realtime sb header", NULL },
	{ "sb", NULL, 0, 1, true, db_run_sb, "[agno]", "set current address to sb header", NULL },
	{ "source", NULL, 1, 1, false, db_run_source, "source-file", "get commands from source-file", NULL },
	{ "stack", NULL, 0, 0, false, db_run_stack, "", "view the location stack", NULL },
	{ "timelimit", NULL, 0, -1, false, db_run_timelimit, "[--classic|--bigtime] [--pretty|--compact]",
	  "display timestamp limits",
	  " Of inodes, and of timers and grace periods of quotas. --classic, --bigtime: "
	  "as without or with that feature;\n"
	  " --pretty: as dates; --compact: six numbers in a line\n" },
	{ "type", NULL, 0, 1, false, db_run_type, "[newtype]", "set/show current data type", NULL },
	{ "uuid", NULL, 0, 1, false, db_run_uuid, "", "print filesystem uuid",
	  " Says too which secondary superblocks have another one\n" },
	{ "version", NULL, 0, 2, false, db_run_version, "[vnum fnum]", "print feature bits of the sb version field",
	  " With two numbers: what they would mean as versionnum and features2\n" },
	{ .name = NULL },
};

/* ---- output ---- */

void db_out(struct db *db, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	if (!db->log)
		return;
	va_start(ap, format);
	vfprintf(db->log, format, ap);
	va_end(ap);
}

static int write_out(void *payload, const char *text, size_t len)
{
	struct db *db = payload;

	if (fwrite(text, 1, len, stdout) != len)
		return -XFS_E_IO;
	if (db->log && fwrite(text, 1, len, db->log) != len)
		return -XFS_E_IO;
	return 0;
}

struct xfs_text_sink db_sink(struct db *db)
{
	return (struct xfs_text_sink){ write_out, db };
}

/* ---- lines ---- */

bool db_number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	return *text && !*end && !errno;
}

/*
 * Blanks and tabs split, but not in double quotes; a backslash takes away the meaning of what follows it. Both stay
 * in the argument.  The arguments lie in `line`.
 */
static int split(char *line, char **argv)
{
	bool quoted = false;
	char *s = line;
	int argc = 0;

	for (;;) {
		while (*s == ' ' || *s == '\t')
			s++;
		if (!*s)
			break;
		argv[argc++] = s;
		for (; *s && (quoted || (*s != ' ' && *s != '\t')); s++) {
			if (*s == '\\' && s[1])
				s++;
			else if (*s == '"')
				quoted = !quoted;
		}
		if (*s)
			*s++ = 0;
	}
	return argc;
}

const struct db_command *db_command_find(const char *name)
{
	for (const struct db_command *c = db_commands; c->name; c++)
		if (strcmp(c->name, name) == 0 || (c->alias && strcmp(c->alias, name) == 0))
			return c;
	return NULL;
}

static bool arity_fits(struct db *db, const struct db_command *c, int args)
{
	if (args >= c->min && (c->max < 0 || args <= c->max))
		return true;
	db_out(db, "bad argument count %d to %s, expected ", args, c->name);
	if (c->max < 0)
		db_out(db, "at least %d arguments\n", c->min);
	else if (c->min == c->max)
		db_out(db, "%d arguments\n", c->min);
	else
		db_out(db, "between %d and %d arguments\n", c->min, c->max);
	return false;
}

static void run(struct db *db, int argc, char **argv)
{
	const struct db_command *c = db_command_find(argv[0]);

	if (!c)
		db_out(db, "command %s not found\n", argv[0]);
	else if (arity_fits(db, c, argc - 1))
		c->run(db, argc, argv);
}

void db_line_run(struct db *db, char *line)
{
	char **argv = calloc(strlen(line) / 2 + 2, sizeof(*argv));	/* a byte and a blank each, and a NULL */
	int argc = argv ? split(line, argv) : 0;

	if (!argv)
		db_out(db, "%s\n", xfs_error_text(-XFS_E_NOMEM));
	if (argc)
		run(db, argc, argv);
	free(argv);
}

/* One line with its end, as getline(). */
static ssize_t next_line(struct db *db, FILE *f, const char *prompt, char **line, size_t *room)
{
	if (prompt && db->editor)
		return db_editor_line(db->editor, prompt, line, room);
	if (prompt) {
		db_out(db, "%s", prompt);
		fflush(stdout);
	}
	return getline(line, room, f);
}

/* One line without its end, with those that its final backslash joins to it. NULL at the end of the file. */
static char *read_line(struct db *db, FILE *f, const char *prompt)
{
	char *line = NULL, *more = NULL;
	size_t room = 0, len = 0, more_room = 0;
	ssize_t n;

	for (const char *say = prompt; (n = next_line(db, f, say, &more, &more_room)) >= 0;
	     say = prompt ? "... " : NULL) {
		bool joined;

		if (n && more[n - 1] == '\n')
			more[--n] = 0;
		joined = n && more[n - 1] == '\\';
		if (len + (size_t)n + 2 > room) {
			char *bigger = realloc(line, room = 2 * (len + (size_t)n + 2));

			if (!bigger)
				break;
			line = bigger;
		}
		memcpy(line + len, more, (size_t)n + 1);
		len += (size_t)n;
		if (!joined)
			break;
		line[len - 1] = ' ';
	}
	free(more);
	if (!line && prompt)
		db_out(db, "\n");
	if (line && prompt && db->editor)
		db_editor_remember(db->editor, line);
	return line;
}

void db_file_run(struct db *db, FILE *f, bool prompt)
{
	char text[64], *line;

	snprintf(text, sizeof(text), "%.60s> ", db->prog);
	while (!db->quit && (line = read_line(db, f, prompt ? text : NULL))) {
		db_line_run(db, line);
		free(line);
	}
}

/* ---- commands ---- */

void db_run_help(struct db *db, int argc, char **argv)
{
	const struct db_command *c;

	if (argc == 1) {
		for (c = db_commands; c->name; c++)
			db_out(db, "%s %s -- %s\n", c->name, c->args, c->line);
		db_out(db, "\nUse 'help commandname' for extended help.\n");
		return;
	}
	c = db_command_find(argv[1]);
	if (!c) {
		db_out(db, "command %s not found\n", argv[1]);
		return;
	}
	db_out(db, "%s %s -- %s\n", c->name, c->args, c->line);
	if (c->help)
		db_out(db, "\n%s\n", c->help);
}

void db_run_echo(struct db *db, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		db_out(db, "%s ", argv[i]);
	db_out(db, "\n");
}

void db_run_quit(struct db *db, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	db->quit = true;
}

/* A quit in the file ends the file alone. */
void db_run_source(struct db *db, int argc, char **argv)
{
	FILE *f = db->sourced < 16 ? fopen(argv[1], "r") : NULL;

	(void)argc;
	if (!f) {
		db_out(db, "can't open %s\n", argv[0]);
		return;
	}
	db->sourced++;
	db_file_run(db, f, false);
	db->sourced--;
	db->quit = false;
	fclose(f);
}

void db_run_log(struct db *db, int argc, char **argv)
{
	if (argc == 1) {
		db_out(db, db->log ? "logging to start\n" : "no log file\n");	/* sic */
	} else if (argc == 2 && strcmp(argv[1], "stop") == 0) {
		if (!db->log) {
			db_out(db, "no log file\n");
			return;
		}
		fclose(db->log);
		db->log = NULL;
	} else if (argc == 3 && strcmp(argv[1], "start") == 0) {
		if (db->log) {
			db_out(db, "already logging to %s\n", argv[1]);	/* sic */
			return;
		}
		db->log = fopen(argv[2], "a");
		if (!db->log)
			db_out(db, "can't open log file %s\n", argv[2]);
	} else {
		db_out(db, "bad log command, ignored\n");
	}
}

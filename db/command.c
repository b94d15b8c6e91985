/* SPDX-License-Identifier: BSD-2-Clause */
/* command.c - lines, the table of commands, and the commands about commands. */
#include "db/db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

const struct db_command db_commands[] = {
	{ "ablock", NULL, 1, 1, true, db_run_ablock, "filoff", "set address to file offset (attr fork)", NULL },
	{ "addr", "a", 0, 1, true, db_run_addr, "[field-expression]", "set current address",
	  " Goes where a field of the current object leads: 'addr bnoroot' from an agf.\n"
	  " Without a field: shows the current address.\n" },
	{ "agf", NULL, 0, 1, true, db_run_agf, "[agno]", "set address to agf header", NULL },
	{ "agfl", NULL, 0, 1, true, db_run_agfl, "[agno]", "set address to agfl block", NULL },
	{ "agi", NULL, 0, 1, true, db_run_agi, "[agno]", "set address to agi header", NULL },
	{ "back", "b", 0, 0, false, db_run_back, "", "move to the previous location in the position ring", NULL },
	{ "convert", NULL, 3, 9, false, db_run_convert, "type num [type num]... type",
			"convert from one address form to another",
	  " The parts given are added up; the last word is the wanted form. Forms:\n"
	  " agblock agbno, agino aginode, agnumber agno, bboff daddroff, blkoff fsboff agboff,\n"
	  " byte fsbyte, daddr bb, fsblock fsb fsbno, ino inode, inoidx offset, inooff inodeoff\n" },
	{ "daddr", NULL, 0, 2, true, db_run_daddr, "[-r|-l] [d]", "set address to daddr value",
	  " In sectors of 512 bytes, -l: on an external log device, -r: on the realtime device\n" },
	{ "dblock", NULL, 1, 1, true, db_run_dblock, "filoff", "set address to file offset (data fork)", NULL },
	{ "echo", NULL, 0, -1, false, db_run_echo, "[args]...", "echo arguments", NULL },
	{ "forward", "f", 0, 0, false, db_run_forward, "", "move forward to next entry in the position ring", NULL },
	{ "fsblock", "fsb", 0, 1, true, db_run_fsblock, "[fsb]", "set address to fsblock value", NULL },
	{ "hash", NULL, 1, 3, false, db_run_hash, "[-d|-p parent_ino] string", "calculate hash value",
	  " -d: of a directory entry; -p: of the parent pointer of an entry in that directory\n" },
	{ "help", "?", 0, 1, false, db_run_help, "[command]", "help for one or all commands", NULL },
	{ "inode", NULL, 0, 1, true, db_run_inode, "[inode#]", "set current inode", NULL },
	{ "log", NULL, 0, 2, false, db_run_log, "[stop|start <filename>]", "start or stop logging to a file", NULL },
	{ "logblock", "lsb", 0, 1, true, db_run_logblock, "[logbno]", "set address to log block value", NULL },
	{ "logprint", NULL, 0, -1, false, db_run_logprint, "[-arvj] [-i inode] [-b fsblock] [-d daddr] [-t kind]",
	  "show what the log holds",
	  " Transactions between tail and head and the items in them; -a: all that the log still holds, -r: records only,\n"
	  " -v: all fields, -j: as JSON. Only items that touch an inode (-i), a block (-b, -d), or of a kind (-t): buf inode\n"
	  " dquot quotaoff icreate efi efd rui rud cui cud bui bud attri attrd xmi xmd, and efi_rt ... cud_rt\n" },
	{ "path", NULL, 1, 2, false, db_run_path, "[-m] path", "navigate to an inode by path",
	  " Relative paths start at the current inode; -m: from the root of the metadata directories\n" },
	{ "pop", NULL, 0, 0, false, db_run_pop, "", "pop location from the stack", NULL },
	{ "print", "p", 0, -1, false, db_run_print, "[value]...", "print field values", NULL },
	{ "push", NULL, 0, -1, false, db_run_push, "[command]", "push location to the stack", NULL },
	{ "quit", "q", 0, 0, false, db_run_quit, "", "exit", NULL },
	{ "ring", NULL, 0, 1, false, db_run_ring, "[index]", "show position ring or move to a specific entry", NULL },
	{ "rtblock", "rtbno", 0, 1, true, db_run_rtblock, "[rtbno]", "set address to rtblock value", NULL },
	{ "rtextent", "rtx", 0, 1, true, db_run_rtextent, "[rtxno]", "set address to rtextent value", NULL },
	{ "rtsb", NULL, 0, 0, true, db_run_rtsb, "", "set current address to realtime sb header", NULL },
	{ "sb", NULL, 0, 1, true, db_run_sb, "[agno]", "set current address to sb header", NULL },
	{ "source", NULL, 1, 1, false, db_run_source, "source-file", "get commands from source-file", NULL },
	{ "stack", NULL, 0, 0, false, db_run_stack, "", "view the location stack", NULL },
	{ "type", NULL, 0, 1, false, db_run_type, "[newtype]", "set/show current data type", NULL },
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
static int split(char *line, char **argv, int room)
{
	bool quoted = false;
	char *s = line;
	int argc = 0;

	while (argc < room) {
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
	char *argv[DB_ARGS + 1];
	int argc = split(line, argv, DB_ARGS);

	argv[argc] = NULL;
	if (argc)
		run(db, argc, argv);
}

/* One line without its end, with those that its final backslash joins to it. NULL at the end of the file. */
static char *read_line(struct db *db, FILE *f, bool prompt)
{
	char *line = NULL, *more = NULL;
	size_t room = 0, len = 0, more_room = 0;
	ssize_t n;

	if (prompt) {
		db_out(db, "%s> ", db->prog);
		fflush(stdout);
	}
	while ((n = getline(&more, &more_room, f)) >= 0) {
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
		if (!joined) {
			free(more);
			return line;
		}
		line[len - 1] = ' ';
		if (prompt) {
			db_out(db, "... ");
			fflush(stdout);
		}
	}
	free(more);
	if (line)
		return line;
	if (prompt)
		db_out(db, "\n");
	return NULL;
}

void db_file_run(struct db *db, FILE *f, bool prompt)
{
	char *line;

	while (!db->quit && (line = read_line(db, f, prompt))) {
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prompt.h - commands typed at a terminal: editing, history and completion by libedit.
 *
 * Only prompt.c knows libedit.  What a word can become is told by complete.c, which knows no terminal.
 */
#ifndef DB_PROMPT_H
#define DB_PROMPT_H

#include "db/db.h"

/* An editor on standard input; NULL when that or standard output is no terminal, or there is no memory. */
struct db_editor *db_editor_open(struct db *);
void db_editor_close(struct db_editor *);
/* One line with its newline into *line (malloc'ed, grows), as getline(): its length, or -1 at the end. */
ssize_t db_editor_line(struct db_editor *, const char *prompt, char **line, size_t *room);
/* Adds a line to the history, unless it is blank or the one before. */
void db_editor_remember(struct db_editor *, const char *line);

/* ---- complete.c ---- */
#define DB_CANDIDATES 256u

/* What the end of a line can become. The words point into tables and do not end with a NUL. */
struct db_candidates {
	size_t typed;			/* bytes at the end of the line that each word starts with */
	unsigned n;
	char after;			/* what follows a word when there is only one: blank, '.', or 0 for nothing */
	struct { const char *text; size_t len; } words[DB_CANDIDATES];
};
/* `line` is what stands before the cursor. */
void db_complete(struct db *, const char *line, struct db_candidates *);
/* Bytes that all words have in common; 0 when there is none. */
size_t db_candidates_common(const struct db_candidates *);

#endif

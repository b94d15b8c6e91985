/* SPDX-License-Identifier: BSD-2-Clause */
/* prompt.c - reads commands from a terminal with libedit. */
#include "db/prompt.h"

#include <histedit.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#define HISTORY 1000
#define LIST_WIDTH 78u

struct db_editor {
	struct db *db;
	EditLine *el;
	History *history;
	const char *prompt;
	struct db_candidates candidates;
};

static struct db_editor *editor_of(EditLine *el)
{
	void *data = NULL;

	el_get(el, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt_of(EditLine *el)
{
	return (char *)editor_of(el)->prompt;
}

/* All candidates in columns, under the line. */
static void list(const struct db_candidates *c)
{
	unsigned width = 0, columns;

	for (unsigned i = 0; i < c->n; i++)
		width = (unsigned)xfs_max(width, c->words[i].len + 2);
	columns = width < LIST_WIDTH ? LIST_WIDTH / width : 1;
	for (unsigned i = 0; i < c->n; i++) {
		bool ends = i % columns == columns - 1 || i + 1 == c->n;

		printf("%s%-*.*s%s", i ? "" : "\n", ends ? 0 : (int)width, (int)c->words[i].len, c->words[i].text,
		       ends ? "\n" : "");
	}
	fflush(stdout);
}

static unsigned char complete(EditLine *el, int key)
{
	struct db_editor *ed = editor_of(el);
	struct db_candidates *c = &ed->candidates;
	const LineInfo *now = el_line(el);
	size_t len = (size_t)(now->cursor - now->buffer), common;
	char *line = malloc(len + 1), more[DB_CANDIDATES];

	(void)key;
	if (!line)
		return CC_ERROR;
	memcpy(line, now->buffer, len);
	line[len] = 0;
	db_complete(ed->db, line, c);
	common = db_candidates_common(c);
	if (c->n && common - c->typed < sizeof(more) - 2) {
		snprintf(more, sizeof(more), "%.*s%.*s", (int)(common - c->typed), c->words[0].text + c->typed,
			 c->n == 1 && c->after, &c->after);
		len = strlen(more);
	} else {
		len = 0;
	}
	free(line);
	if (!c->n || (c->n == 1 && !len))
		return CC_ERROR;
	if (len)
		return el_insertstr(el, more) ? CC_ERROR : CC_REFRESH;
	list(c);
	return CC_REDISPLAY;
}

static bool set_up(struct db_editor *ed)
{
	HistEvent ev;

	ed->el = el_init(ed->db->prog, stdin, stdout, stderr);
	ed->history = history_init();
	if (!ed->el || !ed->history)
		return false;
	history(ed->history, &ev, H_SETSIZE, HISTORY);
	history(ed->history, &ev, H_SETUNIQUE, 1);
	el_set(ed->el, EL_CLIENTDATA, ed);
	el_set(ed->el, EL_PROMPT, prompt_of);
	el_set(ed->el, EL_HIST, history, ed->history);
	el_set(ed->el, EL_EDITOR, "emacs");
	el_set(ed->el, EL_SIGNAL, 1);
	el_set(ed->el, EL_ADDFN, "complete", "Complete a command or field", complete);
	el_set(ed->el, EL_BIND, "^I", "complete", NULL);
	el_set(ed->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_source(ed->el, NULL);	/* the user's own bindings; there need not be any */
	return true;
}

struct db_editor *db_editor_open(struct db *db)
{
	struct db_editor *ed;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return NULL;
	setlocale(LC_CTYPE, "");	/* libedit reads characters, not bytes */
	ed = calloc(1, sizeof(*ed));
	if (!ed)
		return NULL;
	ed->db = db;
	ed->prompt = "";
	if (set_up(ed))
		return ed;
	db_editor_close(ed);
	return NULL;
}

void db_editor_close(struct db_editor *ed)
{
	if (!ed)
		return;
	if (ed->el)
		el_end(ed->el);
	if (ed->history)
		history_end(ed->history);
	free(ed);
}

ssize_t db_editor_line(struct db_editor *ed, const char *prompt, char **line, size_t *room)
{
	const char *got;
	int n = 0;

	ed->prompt = prompt;
	fflush(stdout);
	got = el_gets(ed->el, &n);
	if (!got || n < 0)
		return -1;
	if ((size_t)n >= *room) {
		char *bigger = realloc(*line, (size_t)n + 1);

		if (!bigger)
			return -1;
		*line = bigger;
		*room = (size_t)n + 1;
	}
	memcpy(*line, got, (size_t)n);
	(*line)[n] = 0;
	return n;
}

void db_editor_remember(struct db_editor *ed, const char *line)
{
	HistEvent ev;

	if (line[strspn(line, " \t")])
		history(ed->history, &ev, H_ENTER, line);
}

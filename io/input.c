/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input.c - commands from stdin: a line editor with history and completion on a terminal, plain lines from elsewhere.
 *
 * From a pipe the prompt is printed as well (format sheet 09, section 2): scripts that read our output expect it.
 */
#include "io/io.h"

#include <dirent.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROMPT_SIZE 128
#define HISTORY_SIZE 500
#define SHOWN_MAX 200		/* completions that are listed */

/* What the callbacks of the editor need. */
struct editor {
	struct io *io;
	char prompt[PROMPT_SIZE];
};

/* Completions of one word: how many, what they have in common, and a list for the user. */
struct matches {
	size_t n, n_list;
	char common[512];
	char *list[SHOWN_MAX];
};

static void add_match(struct matches *m, const char *text)
{
	if (m->n_list < SHOWN_MAX && (m->list[m->n_list] = strdup(text)))
		m->n_list++;
	if (m->n++ == 0) {
		snprintf(m->common, sizeof(m->common), "%s", text);
		return;
	}
	size_t i = 0;
	while (m->common[i] && m->common[i] == text[i])
		i++;
	m->common[i] = '\0';
}

static void match_commands(const struct io *io, const char *word, struct matches *m)
{
	size_t n;
	const struct io_command *const *all = io_commands_all(&n);
	for (size_t i = 0; i < n; i++)
		if (!strncmp(all[i]->name, word, strlen(word)) && io_command_find(io, all[i]->name))
			add_match(m, all[i]->name);
}

static void match_options(const struct io *io, const char *name, const char *word, struct matches *m)
{
	const struct io_command *c = io_command_find(io, name);
	for (const struct io_opt *o = c ? c->opts : NULL; o && o->letter; o++) {
		char text[3] = { '-', o->letter, '\0' };
		if (!strncmp(text, word, strlen(word)))
			add_match(m, text);
	}
}

static void match_files(const char *word, struct matches *m)
{
	char dir[512], path[1024];
	const char *slash = strrchr(word, '/'), *base = slash ? slash + 1 : word;
	snprintf(dir, sizeof(dir), "%.*s", (int)(base - word), word);
	DIR *d = opendir(*dir ? dir : ".");
	if (!d)
		return;
	struct dirent *e;
	while ((e = readdir(d))) {
		struct stat st;
		if (strncmp(e->d_name, base, strlen(base)) || (e->d_name[0] == '.' && base[0] != '.'))
			continue;
		snprintf(path, sizeof(path) - 1, "%s%s", dir, e->d_name);
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			strcat(path, "/");
		add_match(m, path);
	}
	closedir(d);
}

/* Puts the common part of all completions into the line, or lists them when there is nothing to add. */
static unsigned char use_matches(EditLine *el, struct matches *m, size_t typed)
{
	unsigned char res = CC_ERROR;
	if (m->n && strlen(m->common) > typed) {
		el_insertstr(el, m->common + typed);
		res = CC_REFRESH;
	} else if (m->n > 1) {
		putchar('\n');
		for (size_t i = 0; i < m->n_list; i++)
			printf("%s%s", m->list[i], (i + 1) % 4 && i + 1 < m->n_list ? "\t" : "\n");
		fflush(stdout);
		res = CC_REDISPLAY;
	}
	if (m->n == 1 && m->common[0] && m->common[strlen(m->common) - 1] != '/' && el_insertstr(el, " ") == 0)
		res = CC_REFRESH;
	for (size_t i = 0; i < m->n_list; i++)
		free(m->list[i]);
	return res;
}

static unsigned char complete(EditLine *el, int key)
{
	(void)key;
	struct editor *ed;
	struct matches m = { 0 };
	char line[512], first[64] = "";
	const LineInfo *li = el_line(el);
	int n = (int)(li->cursor - li->buffer);
	if (n < 0 || n >= (int)sizeof(line) || el_get(el, EL_CLIENTDATA, (void *)&ed))
		return CC_ERROR;
	snprintf(line, sizeof(line), "%.*s", n, li->buffer);
	char *word = strrchr(line, ' ');
	word = word ? word + 1 : line;
	sscanf(line, " %63[^ ]", first);
	bool is_first = strspn(line, " ") == (size_t)(word - line);
	if (is_first || !strcmp(first, "help") || !strcmp(first, "?"))
		match_commands(ed->io, word, &m);
	else if (*word == '-')
		match_options(ed->io, first, word, &m);
	else
		match_files(word, &m);
	return use_matches(el, &m, strlen(word));
}

static const char *prompt(EditLine *el)
{
	struct editor *ed;
	return el_get(el, EL_CLIENTDATA, (void *)&ed) ? "" : ed->prompt;
}

/* Runs lines until the editor sees the end. Returns false when it can't be set up. */
static bool edit_lines(struct editor *ed)
{
	HistEvent ev;
	EditLine *el = el_init(ed->io->prog, stdin, stdout, stderr);
	History *hist = history_init();
	if (!el || !hist) {
		if (el)
			el_end(el);
		if (hist)
			history_end(hist);
		return false;
	}
	el_set(el, EL_CLIENTDATA, ed);
	el_set(el, EL_PROMPT, prompt);
	el_set(el, EL_SIGNAL, 1);
	el_set(el, EL_EDITOR, "emacs");
	history(hist, &ev, H_SETSIZE, HISTORY_SIZE);
	history(hist, &ev, H_SETUNIQUE, 1);
	el_set(el, EL_HIST, history, hist);
	el_set(el, EL_ADDFN, "complete", "complete the word", complete);
	el_set(el, EL_BIND, "^I", "complete", NULL);
	el_source(el, NULL);

	int n, res = IO_OK;
	const char *text;
	while (!(res & IO_STOP) && (text = el_gets(el, &n)) && n > 0) {
		char *line = strndup(text, strcspn(text, "\n"));
		if (!line)
			break;
		if (line[strspn(line, " ")])
			history(hist, &ev, H_ENTER, line);
		res = io_run_line(ed->io, line, false);
		fflush(stdout);
		free(line);
	}
	if (!(res & IO_STOP))
		putchar('\n');
	history_end(hist);
	el_end(el);
	return true;
}

void io_interact(struct io *io)
{
	struct editor ed = { .io = io };
	snprintf(ed.prompt, sizeof(ed.prompt), "%s> ", io->prog);
	if (isatty(STDIN_FILENO) && edit_lines(&ed))
		return;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int res = IO_OK;
	for (;;) {
		fputs(ed.prompt, stdout);
		fflush(stdout);
		n = getline(&line, &size, stdin);
		if (n < 0)
			break;
		line[strcspn(line, "\n")] = '\0';
		res = io_run_line(io, line, false);
		if (res & IO_STOP)
			break;
	}
	free(line);
}

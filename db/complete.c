/* SPDX-License-Identifier: BSD-2-Clause */
/* complete.c - what the end of a line of commands can become: commands, types, fields that exist now. */
#include "db/prompt.h"

/* W_NAME: of a command, which takes no arguments here. */
enum wanted { W_NOTHING, W_COMMAND, W_PUSHABLE, W_NAME, W_FIELD, W_TYPE };

/* What the arguments of a command are. `many`: all of them, not only the first. */
static const struct { const char *name; enum wanted wanted; bool many; } arguments[] = {
	{ "addr", W_FIELD, false }, { "fuzz", W_FIELD, true }, { "help", W_NAME, false }, { "print", W_FIELD, true },
	{ "push", W_PUSHABLE, false }, { "type", W_TYPE, false }, { "write", W_FIELD, true },
};

static void add(struct db_candidates *c, const char *typed, const char *text, size_t len)
{
	if (len < c->typed || strncmp(text, typed, c->typed) != 0 || c->n == DB_CANDIDATES)
		return;
	c->words[c->n].text = text;
	c->words[c->n++].len = len;
}

static void add_commands(struct db_candidates *c, const char *typed, bool pushable)
{
	for (const struct db_command *k = db_commands; k->name; k++)
		if (!pushable || k->push)
			add(c, typed, k->name, strlen(k->name));
}

static void add_types(struct db_candidates *c, const char *typed, bool v5)
{
	for (const struct xfs_blocktype *t = xfs_blocktypes; t->type != XT_NONE; t++)
		if (xfs_blocktype_name(t, v5))
			add(c, typed, xfs_blocktype_name(t, v5), strlen(xfs_blocktype_name(t, v5)));
}

/* The structure that the components before the last dot of `word` lead to. */
static bool inner(const struct xfs_ctx *ctx, struct xfs_place *in, const char *word, size_t len)
{
	char text[256];
	struct xfs_path_error why;
	struct xfs_path path;
	const struct xfs_path_step *step;

	if (len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = 0;
	if (xfs_path_parse(ctx, *in, text, &path, &why))
		return false;
	step = &path.steps[path.nsteps - 1];
	if (!xfs_row_has_subfields(step->row))
		return false;
	*in = (struct xfs_place){ step->row->elem,
				  step->row->at(ctx, path.last.off, (size_t)(step->low - step->row->to)) };
	return true;
}

static void add_fields(struct db *db, struct db_candidates *c, const char *word)
{
	const struct db_level *l = db_top(db);
	const char *dot = strrchr(word, '.');
	struct xfs_place in;
	struct xfs_ctx ctx;
	const struct xfs_row *only = NULL;

	if (!l->at.type || !l->buf || xfs_blocktype_show(l->at.type, db->fs->geo.v5) != XW_FIELDS)
		return;
	in = (struct xfs_place){ xfs_blocktype_desc(l->at.type, db->fs->geo.v5), 0 };
	ctx = db_ctx(db);
	if (dot && !inner(&ctx, &in, word, (size_t)(dot - word)))
		return;
	word = dot ? dot + 1 : word;
	c->typed = strlen(word);
	if (!xfs_place_valid(&ctx, in))
		return;
	for (uint32_t i = 0; i < in.desc->nrows; i++) {
		const struct xfs_row *row = &in.desc->rows[i];
		size_t len = xfs_row_label_len(row);
		unsigned before = c->n;

		if (!(row->kind != XR_ARRAY && (row->fmt & XF_CODE)) && xfs_row_find(&ctx, in, row->name, len) == row)
			add(c, word, row->name, len);
		only = c->n > before ? row : only;
	}
	if (c->n == 1)
		c->after = xfs_row_is_array(only) ? 0 : xfs_row_has_subfields(only) ? '.' : ' ';
}

static enum wanted wanted_by(const char *command, size_t len, bool first)
{
	char name[32];
	const struct db_command *k;

	if (len >= sizeof(name))
		return W_NOTHING;
	memcpy(name, command, len);
	name[len] = 0;
	k = db_command_find(name);
	for (size_t i = 0; k && i < sizeof(arguments) / sizeof(arguments[0]); i++)
		if (strcmp(arguments[i].name, k->name) == 0)
			return first || arguments[i].many ? arguments[i].wanted : W_NOTHING;
	return W_NOTHING;
}

/* The word at the end of the line, what it should be by the words before it. */
static enum wanted last_word(const char *line, const char **word)
{
	enum wanted wanted = W_COMMAND;
	const char *s = line + strspn(line, " \t"), *command = s;
	size_t command_len = 0;

	for (;;) {
		size_t len = strcspn(s, " \t");
		const char *next = s + len + strspn(s + len, " \t");
		bool first;

		*word = s;
		if (next == s + len)
			return wanted;
		first = wanted == W_COMMAND || wanted == W_PUSHABLE;	/* this word is a command */
		if (first) {
			command = s;
			command_len = len;
		}
		wanted = wanted_by(command, command_len, first);
		s = next;
	}
}

void db_complete(struct db *db, const char *line, struct db_candidates *c)
{
	const char *word;
	enum wanted wanted = last_word(line, &word);

	c->n = 0;
	c->after = ' ';
	c->typed = strlen(word);
	if (wanted == W_COMMAND || wanted == W_PUSHABLE || wanted == W_NAME)
		add_commands(c, word, wanted == W_PUSHABLE);
	else if (wanted == W_TYPE)
		add_types(c, word, db->fs->geo.v5);
	else if (wanted == W_FIELD)
		add_fields(db, c, word);
}

size_t db_candidates_common(const struct db_candidates *c)
{
	size_t common = c->n ? c->words[0].len : 0;

	for (unsigned i = 1; i < c->n; i++) {
		size_t same = 0;

		while (same < common && same < c->words[i].len && c->words[i].text[same] == c->words[0].text[same])
			same++;
		common = same;
	}
	return common;
}

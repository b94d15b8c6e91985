/* SPDX-License-Identifier: BSD-2-Clause */
/* model.c - files and names in memory, and the operations on them. */
#include "tests/lib/model.h"

#include <stdlib.h>
#include <string.h>

#define FMT 0170000u
#define DIR 0040000u
#define REG 0100000u
#define LNK 0120000u
#define CHR 0020000u

static void need(const void *p)
{
	if (p)
		return;
	fputs("fsx: out of memory\n", stderr);
	exit(2);
}

bool model_is_dir(const struct model_node *n) { return (n->mode & FMT) == DIR; }

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	m->nodes[0] = (struct model_node){ .used = true, .mode = DIR | 0755, .links = 2, .parent = &m->nodes[0],
					   .attrs_changed = true };
	m->nnodes = 1;
}

void model_release(struct model *m)
{
	for (unsigned i = 0; i < MODEL_NODES; i++)
		free(m->nodes[i].bytes);
	memset(m, 0, sizeof(*m));
}

/* ---- finding ---- */

static struct model_entry *find_entry(struct model *m, const struct model_node *dir, const char *name)
{
	for (unsigned i = 0; i < MODEL_ENTRIES; i++)
		if (m->entries[i].used && m->entries[i].dir == dir && strcmp(m->entries[i].name, name) == 0)
			return &m->entries[i];
	return NULL;
}

/* The directory that a path ends in, and the last name. */
static int walk(struct model *m, const char *path, struct model_node **dir, char *name)
{
	*dir = &m->nodes[0];
	for (;;) {
		size_t len = strcspn(path, "/");
		struct model_entry *e;

		if (len == 0 && *path) {
			path++;
			continue;
		}
		if (len > 255)
			return -XFS_E_NAMETOOLONG;
		memcpy(name, path, len);
		name[len] = 0;
		path += len;
		if (!*path)
			return 0;
		e = find_entry(m, *dir, name);
		if (!e)
			return -XFS_E_NOENT;
		if (!model_is_dir(e->node))
			return -XFS_E_NOTDIR;
		*dir = e->node;
	}
}

/* What the path names; `dir` and `e` may be NULL; *e is NULL for the root. */
static int look(struct model *m, const char *path, struct model_node **out, struct model_entry **e)
{
	struct model_node *dir;
	struct model_entry *found = NULL;
	char name[256];
	int err = walk(m, path, &dir, name);

	*out = NULL;
	if (!err && !*name) {
		*out = dir;
	} else if (!err) {
		found = find_entry(m, dir, name);
		if (found)
			*out = found->node;
		else
			err = -XFS_E_NOENT;
	}
	if (e)
		*e = found;
	return err;
}

struct model_node *model_find(struct model *m, const char *path)
{
	struct model_node *n;

	return look(m, path, &n, NULL) ? NULL : n;
}

bool model_path(const struct model *m, const struct model_entry *e, char *path, size_t room)
{
	size_t len, at = room - 1;

	for (;;) {
		const struct model_node *dir = e->dir;

		len = strlen(e->name);
		if (len + 1 > at)
			return false;
		at -= len + 1;
		memcpy(path + at, e->name, len);
		path[at + len] = '/';
		if (dir == &m->nodes[0])
			break;
		for (e = m->entries; !(e->used && e->node == dir); e++)
			;
	}
	path[room - 1] = 0;
	memmove(path, path + at, room - at);
	return true;
}

static struct model_node *new_node(struct model *m, uint16_t mode)
{
	for (unsigned i = 1; i < MODEL_NODES; i++)
		if (!m->nodes[i].used) {
			m->nodes[i] = (struct model_node){ .used = true, .mode = mode, .rewritten = true,
							   .attrs_changed = true };
			m->nnodes++;
			return &m->nodes[i];
		}
	fputs("fsx: too many files for the model\n", stderr);
	exit(2);
}

static void add_entry(struct model *m, struct model_node *dir, const char *name, struct model_node *node)
{
	for (unsigned i = 0; i < MODEL_ENTRIES; i++)
		if (!m->entries[i].used) {
			struct model_entry *e = &m->entries[i];

			*e = (struct model_entry){ .dir = dir, .node = node, .used = true };
			strcpy(e->name, name);
			m->nentries++;
			return;
		}
	fputs("fsx: too many names for the model\n", stderr);
	exit(2);
}

static void drop_entry(struct model *m, struct model_entry *e)
{
	e->used = false;
	m->nentries--;
}

static void lose_link(struct model *m, struct model_node *n)
{
	n->links -= model_is_dir(n) ? 2 : 1;
	if (n->links)
		return;
	free(n->bytes);
	memset(n, 0, sizeof(*n));
	m->nnodes--;
}

static bool is_empty(const struct model *m, const struct model_node *dir)
{
	for (unsigned i = 0; i < MODEL_ENTRIES; i++)
		if (m->entries[i].used && m->entries[i].dir == dir)
			return false;
	return true;
}

static bool lies_below(const struct model *m, const struct model_node *dir, const struct model_node *n)
{
	for (; dir != n; dir = dir->parent)
		if (dir == &m->nodes[0])
			return false;
	return true;
}

/* ---- names ---- */

static int make(struct model *m, const char *path, uint16_t mode, struct model_node **out)
{
	struct model_node *dir;
	char name[256];
	int err = walk(m, path, &dir, name);

	if (!err && (!*name || find_entry(m, dir, name)))
		err = -XFS_E_EXISTS;
	if (err)
		return err;
	*out = new_node(m, mode);
	(*out)->links = (mode & FMT) == DIR ? 2 : 1;
	add_entry(m, dir, name, *out);
	if ((mode & FMT) == DIR) {
		(*out)->parent = dir;
		dir->links++;
	}
	return 0;
}

static int make_any(struct model *m, const struct fsx_op *op)
{
	struct model_node *n;
	unsigned mode = (unsigned)op->n[1];
	int err;

	switch (op->verb) {
	case FSX_SYMLINK:
		err = make(m, op->text[1], LNK | 0777, &n);
		if (err)
			return err;
		n->size = n->room = strlen(op->text[0]);
		need(n->bytes = malloc(n->size + 1));
		memcpy(n->bytes, op->text[0], n->size);
		return 0;
	case FSX_MKNOD:
		mode = *op->text[1] == 'c' ? CHR : *op->text[1] == 'b' ? 0060000 :
		       *op->text[1] == 'p' ? 0010000 : 0140000;
		err = make(m, op->text[0], (uint16_t)(mode | 0600), &n);
		if (!err && (*op->text[1] == 'c' || *op->text[1] == 'b')) {
			n->major = (uint32_t)op->n[2];
			n->minor = (uint32_t)op->n[3];
		}
		return err;
	default:
		err = make(m, op->text[0], (uint16_t)(mode | (op->verb == FSX_MKDIR ? DIR : REG)), &n);
		if (!err && op->nargs > 3) {
			n->uid = (uint32_t)op->n[2];
			n->gid = (uint32_t)op->n[3];
		}
		return err;
	}
}

static int do_link(struct model *m, const struct fsx_op *op)
{
	struct model_node *n, *dir;
	char name[256];
	int err = look(m, op->text[0], &n, NULL);

	if (!err)
		err = walk(m, op->text[1], &dir, name);
	if (!err && model_is_dir(n))
		err = -XFS_E_INVALID;
	if (!err && find_entry(m, dir, name))
		err = -XFS_E_EXISTS;
	if (err)
		return err;
	add_entry(m, dir, name, n);
	n->links++;
	return 0;
}

static int do_remove(struct model *m, const struct fsx_op *op)
{
	struct model_entry *e;
	struct model_node *n;
	int err = look(m, op->text[0], &n, &e);

	if (err)
		return err;
	if (op->verb == FSX_UNLINK && model_is_dir(n))
		return -XFS_E_INVALID;
	if (op->verb == FSX_RMDIR && !model_is_dir(n))
		return -XFS_E_NOTDIR;
	if (op->verb == FSX_RMDIR && !is_empty(m, n))
		return -XFS_E_NOTEMPTY;
	if (model_is_dir(n))
		e->dir->links--;
	drop_entry(m, e);
	lose_link(m, n);
	return 0;
}

static void change_parent(struct model_node *n, struct model_node *from, struct model_node *to)
{
	if (!model_is_dir(n))
		return;
	from->links--;
	to->links++;
	n->parent = to;
}

static int judge_rename(const struct model *m, const struct model_entry *a, const struct model_entry *b,
			const struct model_node *to, const char *how)
{
	bool exchange = strcmp(how, "exchange") == 0;

	if (!b && exchange)
		return -XFS_E_NOENT;
	if (b && strcmp(how, "noreplace") == 0)
		return -XFS_E_EXISTS;
	if (b && a->node == b->node)
		return 0;
	if (b && !exchange && model_is_dir(a->node) != model_is_dir(b->node))
		return model_is_dir(a->node) ? -XFS_E_NOTDIR : -XFS_E_INVALID;
	if ((model_is_dir(a->node) && lies_below(m, to, a->node)) ||
	    (exchange && model_is_dir(b->node) && lies_below(m, a->dir, b->node)))
		return -XFS_E_INVALID;
	return b && !exchange && model_is_dir(b->node) && !is_empty(m, b->node) ? -XFS_E_NOTEMPTY : 0;
}

static int do_rename(struct model *m, const struct fsx_op *op)
{
	const char *how = op->nargs > 2 ? op->text[2] : "";
	struct model_entry *a, *b, old;
	struct model_node *n, *to;
	char name[256];
	int err = look(m, op->text[0], &n, &a);

	if (!err)
		err = walk(m, op->text[1], &to, name);
	if (err)
		return err;
	b = find_entry(m, to, name);
	err = judge_rename(m, a, b, to, how);
	if (err || (b && b->node == a->node))
		return err;
	change_parent(a->node, a->dir, to);
	if (strcmp(how, "exchange") == 0) {
		change_parent(b->node, to, a->dir);
		a->node = b->node;
		b->node = n;
		return 0;
	}
	old = *a;
	drop_entry(m, a);
	if (b) {
		struct model_node *gone = b->node;

		if (model_is_dir(gone))
			to->links--;
		drop_entry(m, b);
		lose_link(m, gone);
	}
	add_entry(m, to, name, n);
	if (strcmp(how, "whiteout") == 0) {
		struct model_node *w = new_node(m, CHR);

		w->links = 1;
		add_entry(m, old.dir, old.name, w);
	}
	return 0;
}

/* ---- contents ---- */

static void resize(struct model_node *n, uint64_t size)
{
	if (size > n->room) {
		uint64_t room = (size + 65535) & ~UINT64_C(65535);

		need(n->bytes = realloc(n->bytes, room));
		memset(n->bytes + n->room, 0, room - n->room);
		n->room = room;
	} else if (size < n->size) {
		memset(n->bytes + size, 0, n->size - size);
	}
	n->size = size;
}

static void cover(struct model_node *n, uint64_t end)
{
	if (end > n->size)
		resize(n, end);
}

static void clear(struct model_node *n, uint64_t off, uint64_t len)
{
	if (off < n->size)
		memset(n->bytes + off, 0, len < n->size - off ? len : n->size - off);
}

static int shift(struct model_node *n, uint64_t off, uint64_t len, bool up)
{
	uint64_t size = n->size;

	if (up ? off >= size : off >= size || len >= size - off)
		return -XFS_E_INVALID;
	if (up) {
		resize(n, size + len);
		memmove(n->bytes + off + len, n->bytes + off, size - off);
		memset(n->bytes + off, 0, len);
	} else {
		memmove(n->bytes + off, n->bytes + off + len, size - off - len);
		resize(n, size - len);
	}
	return 0;
}

static int one_file(struct model_node *n, const struct fsx_op *op)
{
	uint64_t off = op->n[1], len = op->n[2];
	bool keep = op->nargs > 3 && op->text[3] && strcmp(op->text[3], "keep") == 0;

	switch (op->verb) {
	case FSX_WRITE:
		if (len) {
			cover(n, off + len);
			fsx_fill(n->bytes + off, len, op->n[3]);
		}
		break;
	case FSX_TRUNCATE:
		resize(n, off);
		break;
	case FSX_COLLAPSE:
	case FSX_INSERT:
		return shift(n, off, len, op->verb == FSX_INSERT);
	case FSX_PUNCH:
		clear(n, off, len);
		break;
	case FSX_ZERO:
		clear(n, off, len);
		/* fall through */
	case FSX_PREALLOC:
		if (!keep)
			cover(n, off + len);
		break;
	default:
		break;
	}
	return 0;
}

static uint8_t *copy_of(const struct model_node *n, uint64_t off, uint64_t len)
{
	uint8_t *p = malloc(len + 1);

	need(p);
	if (len)
		memcpy(p, n->bytes + off, len);
	return p;
}

static int two_files(struct model_node *a, struct model_node *b, const struct fsx_op *op)
{
	uint64_t off1 = op->n[1], off2 = op->n[3], len = op->n[4], n1 = len, n2 = len;
	bool to_end = op->verb == FSX_SWAP && !len;
	uint8_t *x, *y;

	if (to_end) {
		n1 = a->size - off1;
		n2 = b->size - off2;
	}
	if (off1 + n1 > a->size || (op->verb == FSX_SWAP && off2 + n2 > b->size))
		return -XFS_E_INVALID;
	x = copy_of(a, off1, n1);
	if (op->verb == FSX_SHARE) {
		cover(b, off2 + len);
		memcpy(b->bytes + off2, x, len);
		free(x);
		return 0;
	}
	y = copy_of(b, off2, n2);
	if (to_end) {
		resize(a, off1);
		resize(b, off2);
		cover(a, off1 + n2);
		cover(b, off2 + n1);
	}
	memcpy(a->bytes + off1, y, n2);
	memcpy(b->bytes + off2, x, n1);
	free(x);
	free(y);
	return 0;
}

static int change_file(struct model *m, const struct fsx_op *op)
{
	struct model_node *n, *other = NULL;
	int err = look(m, op->text[0], &n, NULL);

	if (!err && (op->verb == FSX_SHARE || op->verb == FSX_SWAP))
		err = look(m, op->text[2], &other, NULL);
	if (err)
		return err;
	if ((n->mode & FMT) != REG || (other && (other->mode & FMT) != REG))
		return -XFS_E_INVALID;
	n->rewritten = true;
	if (other)
		other->rewritten = true;
	return other ? two_files(n, other, op) : one_file(n, op);
}

/* ---- attributes and the rest ---- */

static struct model_attr *find_attr(struct model_node *n, const struct fsx_op *op)
{
	for (unsigned i = 0; i < MODEL_ATTRS; i++)
		if (n->attrs[i].used && strcmp(n->attrs[i].space, op->text[1]) == 0 &&
		    strcmp(n->attrs[i].name, op->text[2]) == 0)
			return &n->attrs[i];
	return NULL;
}

static int set_attr(struct model_node *n, const struct fsx_op *op)
{
	struct model_attr *a = find_attr(n, op);
	const char *how = op->nargs > 5 ? op->text[5] : "";

	if (a && strcmp(how, "create") == 0)
		return -XFS_E_EXISTS;
	if (!a && strcmp(how, "replace") == 0)
		return -XFS_E_NOENT;
	for (unsigned i = 0; i < MODEL_ATTRS && !a; i++)
		if (!n->attrs[i].used)
			a = &n->attrs[i];
	need(a);
	a->used = true;
	snprintf(a->space, sizeof(a->space), "%s", op->text[1]);
	snprintf(a->name, sizeof(a->name), "%s", op->text[2]);
	a->len = (uint32_t)op->n[3];
	a->seed = op->n[4];
	n->attrs_changed = true;
	return 0;
}

static int change_inode(struct model *m, const struct fsx_op *op)
{
	struct model_node *n;
	struct model_attr *a;
	int err = look(m, op->text[0], &n, NULL);

	if (err)
		return err;
	switch (op->verb) {
	case FSX_SETATTR:
		return set_attr(n, op);
	case FSX_REMOVEATTR:
		a = find_attr(n, op);
		if (!a)
			return -XFS_E_NOENT;
		a->used = false;
		n->attrs_changed = true;
		return 0;
	case FSX_CHMOD:
		n->mode = (uint16_t)((n->mode & FMT) | (op->n[1] & 07777));
		return 0;
	default:
		n->uid = (uint32_t)op->n[1];
		n->gid = (uint32_t)op->n[2];
		return 0;
	}
}

int model_apply(struct model *m, const struct fsx_op *op)
{
	switch (op->verb) {
	case FSX_CREATE:
	case FSX_MKDIR:
	case FSX_SYMLINK:
	case FSX_MKNOD:
	case FSX_TMPFILE:
		return make_any(m, op);
	case FSX_LINK:
		return do_link(m, op);
	case FSX_UNLINK:
	case FSX_RMDIR:
		return do_remove(m, op);
	case FSX_RENAME:
		return do_rename(m, op);
	case FSX_SETATTR:
	case FSX_REMOVEATTR:
	case FSX_CHMOD:
	case FSX_CHOWN:
		return change_inode(m, op);
	default:
		return fsx_in_steps(op->verb) ? change_file(m, op) : 0;
	}
}

/* ---- listing ---- */

static void digest_node(const struct listing *l, struct model_node *n)
{
	static struct listing_attr attrs[MODEL_ATTRS];
	size_t k = 0;

	if (n->attrs_changed) {
		for (unsigned i = 0; i < MODEL_ATTRS; i++) {
			const struct model_attr *a = &n->attrs[i];

			if (!a->used)
				continue;
			snprintf(attrs[k].name, sizeof(attrs[k].name), "%s.%s", a->space, a->name);
			attrs[k].len = a->len;
			need(attrs[k].value = malloc(a->len + 1u));
			fsx_fill(attrs[k++].value, a->len, a->seed);
		}
		listing_attrs_digest(l, attrs, k, n->attr_digest);
		while (k)
			free(attrs[--k].value);
		n->attrs_changed = false;
	}
	if (((n->mode & FMT) == REG || (n->mode & FMT) == LNK) && n->rewritten) {
		listing_digest(l, n->bytes, n->size, n->digest);
		n->rewritten = false;
	}
}

static void list_node(struct listing *l, struct model_node *n, const char *path)
{
	char size[40] = "-";
	unsigned fmt = n->mode & FMT;

	digest_node(l, n);
	if (fmt == REG || fmt == LNK)
		sprintf(size, "%llu", (unsigned long long)n->size);
	if (fmt == CHR || fmt == 0060000)
		sprintf(size, "%u:%u", (unsigned)n->major, (unsigned)n->minor);
	listing_add(l, n->mode, n->uid, n->gid, n->links, size, fmt == REG || fmt == LNK ? n->digest : "-",
		    n->attr_digest, path, n);
}

void model_list(struct model *m, struct listing *l)
{
	char path[5000];

	list_node(l, &m->nodes[0], "");
	for (unsigned i = 0; i < MODEL_ENTRIES; i++)
		if (m->entries[i].used && model_path(m, &m->entries[i], path, sizeof(path))) {
			path[strlen(path) - 1] = 0;	/* its slash */
			list_node(l, m->entries[i].node, path);
		}
	listing_sort(l);
}

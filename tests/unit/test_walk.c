/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_walk.c - walks a whole tree and compares every path, inode, size, checksum of data and of attributes with the
 * list that Linux gave of the same image; finds names by hash; gives paths back.
 *
 * As a tool: "test_walk IMAGE" prints the list of any image in that format.
 */
#include "libxfs/inode/symlink.h"
#include "libxfs/name/attr.h"
#include "libxfs/name/dir.h"
#include "libxfs/name/path.h"
#include "tests/unit/image.h"
#include "tests/unit/sha256.h"
#include "tests/unit/vectors.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- the list ---- */

struct attr_pair {
	char name[300];
	uint8_t *value;
	uint32_t len;
};

struct attr_list {
	struct xfs_attrs *a;
	struct attr_pair *pairs;
	size_t n;
};

static int add_attr(void *payload, const struct xfs_attr *attr)
{
	struct attr_list *l = payload;
	struct attr_pair *p;
	const char *prefix = attr->flags & XFS_ATTR_ROOT ? "trusted." :
		attr->flags & XFS_ATTR_SECURE ? "security." : "user.";

	if (attr->flags & (XFS_ATTR_INCOMPLETE | XFS_ATTR_PARENT))
		return 0;
	l->pairs = realloc(l->pairs, (l->n + 1) * sizeof(*l->pairs));
	p = &l->pairs[l->n++];
	snprintf(p->name, sizeof(p->name), "%s%.*s", prefix, (int)attr->namelen, (const char *)attr->name);
	p->len = attr->valuelen;
	p->value = malloc(p->len + 1);
	return xfs_attr_value(l->a, attr, p->value);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct attr_pair *)a)->name, ((const struct attr_pair *)b)->name);
}

static int attr_digest(const struct xfs_inode *ip, const struct xfs_sink *sink, char *hex)
{
	struct attr_list l = { 0 };
	struct xfs_attrs a;
	struct hash256 h;
	int err = xfs_attrs_open(&a, ip, sink);

	l.a = &a;
	if (!err)
		err = xfs_attrs_each(&a, add_attr, &l);
	hash256_start(&h);
	if (l.n)
		qsort(l.pairs, l.n, sizeof(*l.pairs), by_name);
	for (size_t i = 0; i < l.n; i++) {
		char len[20];
		int digits = snprintf(len, sizeof(len), "%" PRIu32, l.pairs[i].len);

		hash256_add(&h, l.pairs[i].name, strlen(l.pairs[i].name) + 1);
		hash256_add(&h, len, (size_t)digits + 1);
		hash256_add(&h, l.pairs[i].value, l.pairs[i].len);
		free(l.pairs[i].value);
	}
	hash256_end(&h, hex);
	if (!l.n)
		strcpy(hex, "-");
	free(l.pairs);
	return err;
}

static int data_digest(const struct xfs_inode *ip, const struct xfs_sink *sink, char *hex)
{
	static uint8_t piece[1 << 16];
	struct xfs_ifork f;
	struct hash256 h;
	uint64_t off = 0;
	size_t got = 1;
	int err = xfs_ifork_init(&f, ip, XFS_FORK_DATA);

	f.sink = sink;
	hash256_start(&h);
	while (!err && got) {
		err = xfs_ifork_read(&f, off, piece, sizeof(piece), &got);
		hash256_add(&h, piece, got);
		off += got;
	}
	hash256_end(&h, hex);
	return err;
}

struct lister {
	struct xfs_fs *fs;
	const struct xfs_sink *sink;
	FILE *out;
	int err;
};

struct child {
	char name[256];
	size_t len;
	uint64_t ino;
	unsigned ftype;
};

struct children {
	struct child *list;
	size_t n;
};

static int add_child(void *payload, const struct xfs_dir_entry *e)
{
	struct children *c = payload;
	struct child *k;

	if (e->name[0] == '.' && (e->namelen == 1 || (e->namelen == 2 && e->name[1] == '.')))
		return 0;
	c->list = realloc(c->list, (c->n + 1) * sizeof(*c->list));
	k = &c->list[c->n++];
	memcpy(k->name, e->name, e->namelen);
	k->name[e->namelen] = 0;
	k->len = e->namelen;
	k->ino = e->ino.v;
	k->ftype = e->ftype;
	return 0;
}

static int by_child(const void *a, const void *b)
{
	return strcmp(((const struct child *)a)->name, ((const struct child *)b)->name);
}

static void print_path(FILE *out, const char *path)
{
	for (const uint8_t *p = (const uint8_t *)path; *p; p++)
		if (*p > 32 && *p < 127 && *p != '\\')
			fputc(*p, out);
		else
			fprintf(out, "\\%03o", *p);
	fputc('\n', out);
}

static int print_line(struct lister *l, const struct xfs_inode *ip, const char *path)
{
	static const char letters[] = "?fdcbpsl?";
	const struct xfs_dinode_core *c = &ip->d.core;
	char size[40] = "-", data[65] = "-", attrs[65], target[XFS_SYMLINK_MAXLEN];
	struct hash256 h;
	size_t len;
	int err = attr_digest(ip, l->sink, attrs);

	switch (err ? 0 : xfs_inode_fmt(ip)) {
	case XFS_MODE_REG:
		snprintf(size, sizeof(size), "%" PRIu64, c->size);
		err = data_digest(ip, l->sink, data);
		break;
	case XFS_MODE_LNK:
		snprintf(size, sizeof(size), "%" PRIu64, c->size);
		err = xfs_symlink_target(ip, target, &len, l->sink);
		hash256_start(&h);
		hash256_add(&h, target, len);
		hash256_end(&h, data);
		break;
	case XFS_MODE_CHR:
	case XFS_MODE_BLK: {
		uint32_t n, rdev = xfs_be32(xfs_inode_fork_bytes(ip, XFS_FORK_DATA, &n));

		snprintf(size, sizeof(size), "%u:%u", xfs_dev_major(rdev), xfs_dev_minor(rdev));
	}
	}
	fprintf(l->out, "%c %" PRIu64 " %04o %u %u %u %s %s %s ", letters[xfs_mode_ftype(c->mode)], ip->ino.v,
		c->mode & 07777, c->uid, c->gid, xfs_dinode_nlink(&ip->d), size, data, attrs);
	print_path(l->out, *path ? path : ".");
	return err;
}

static void list_tree(struct lister *l, uint64_t ino, const char *path, unsigned depth)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct children c = { 0 };
	struct xfs_dir d;
	int err = xfs_inode_read(l->fs, XFS_INO(ino), 0, ip);

	if (!err)
		err = print_line(l, ip, path);
	if (!err && xfs_inode_is_dir(ip) && depth < 100) {
		err = xfs_dir_open(&d, ip, l->sink);
		if (!err)
			err = xfs_dir_each(&d, 0, add_child, &c);
	}
	l->err = l->err ? l->err : err;
	free(ip);
	if (c.n)
		qsort(c.list, c.n, sizeof(*c.list), by_child);
	for (size_t i = 0; i < c.n; i++) {
		size_t room = strlen(path) + c.list[i].len + 2;
		char *below = malloc(room);

		snprintf(below, room, "%s%s%s", path, *path ? "/" : "", c.list[i].name);
		list_tree(l, c.list[i].ino, below, depth + 1);
		free(below);
	}
	free(c.list);
}

/* ---- tests on the sample ---- */

static struct memdev *dev;
static struct xfs_fs *fs;
static struct xfs_finding_list found;
static struct xfs_sink sink;

static void setup(void)
{
	struct xfs_devset set;

	memset(&found, 0, sizeof(found));
	sink = xfs_finding_list_sink(&found);
	dev = image_load("sample.img.xz");
	set = (struct xfs_devset){ .data = &dev->dev };
	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, &sink), 0);
}

static void teardown(void)
{
	xfs_fs_close(fs);
	xfs_finding_list_free(&found);
	xfs_dev_close(&dev->dev);
}

static void no_findings(void)
{
	char line[400] = "";

	if (found.n)
		xfs_finding_format(&found.items[0], line, sizeof(line));
	ck_assert_msg(found.n == 0, "%zu findings: %s", found.n, line);
}

START_TEST(whole_tree)
{
	struct lister l = { .fs = fs, .sink = &sink };
	char *mine = NULL, *want = malloc(1 << 20), *p, *q;
	size_t size = 0, len, line = 0;
	FILE *f = image_stream("sample.list.xz");

	len = fread(want, 1, (1 << 20) - 1, f);
	want[len] = 0;
	ck_assert_int_eq(pclose(f), 0);
	l.out = open_memstream(&mine, &size);
	list_tree(&l, fs->geo.sb.rootino, "", 0);
	fclose(l.out);
	ck_assert_int_eq(l.err, 0);
	no_findings();
	for (p = mine, q = want; *p && *q; line++) {
		size_t a = strcspn(p, "\n") + 1, b = strcspn(q, "\n") + 1;

		ck_assert_msg(a == b && !memcmp(p, q, a), "line %zu:\n%.*s%.*s", line, (int)a, p, (int)b, q);
		p += a;
		q += b;
	}
	ck_assert_msg(!*p && !*q, "another number of lines");
	ck_assert_uint_gt(line, 1500);
	free(mine);
	free(want);
}
END_TEST

/* Every entry is found by its hash, with the cookie that the walk gave; names that are not there are not found. */
struct lookup {
	struct xfs_dir *d;
	unsigned n;
	uint32_t last;
};

static int look_up(void *payload, const struct xfs_dir_entry *e)
{
	struct lookup *l = payload;
	unsigned ftype;
	uint32_t cookie;
	xfs_ino_t ino;
	uint8_t other[256];

	ck_assert_int_eq(xfs_dir_lookup(l->d, e->name, e->namelen, &ino, &ftype, &cookie), 0);
	ck_assert_uint_eq(ino.v, e->ino.v);
	ck_assert_uint_eq(ftype, e->ftype);
	ck_assert_uint_eq(cookie, e->cookie);
	ck_assert(!l->n || cookie > l->last);
	l->last = cookie;
	memcpy(other, e->name, e->namelen);
	other[e->namelen - 1] ^= 0x80;
	ck_assert_int_eq(xfs_dir_lookup(l->d, other, e->namelen, &ino, NULL, NULL), -XFS_E_NOENT);
	l->n++;
	return 0;
}

static int count_entries(void *payload, const struct xfs_dir_entry *e)
{
	(void)e;
	++*(unsigned *)payload;
	return 0;
}

START_TEST(names_by_hash)
{
	unsigned forms[5] = { 0 };

	for (uint64_t ino = fs->geo.sb.rootino; ino < 1 << 17; ino++) {
		struct lookup l = { 0 };
		struct xfs_inode ip;
		struct xfs_dir d;
		unsigned n = 0;

		if (xfs_inode_read(fs, XFS_INO(ino), 0, &ip) || !xfs_inode_is_dir(&ip))
			continue;
		ck_assert_int_eq(xfs_dir_open(&d, &ip, &sink), 0);
		forms[d.form]++;
		l.d = &d;
		ck_assert_int_eq(xfs_dir_each(&d, 0, look_up, &l), 0);
		/* the second half again, from a cookie */
		ck_assert_int_eq(xfs_dir_each(&d, l.last, count_entries, &n), 0);
		ck_assert_uint_eq(n, 1);
	}
	no_findings();
	for (int form = XFS_DIR_SHORT; form <= XFS_DIR_NODE; form++)
		ck_assert_msg(forms[form] > 0, "no directory of form %d", form);
	ck_assert_uint_eq(forms[XFS_DIR_ODD], 0);
}
END_TEST

START_TEST(paths)
{
	static const char *const list[] = { "links/long", "maps/pair-b", "directories/node", "attributes/tree",
					   "plain" };
	char path[1000];
	xfs_ino_t ino, root = XFS_INO(fs->geo.sb.rootino), up;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(list); i++) {
		ck_assert_int_eq(xfs_path_lookup(fs, root, list[i], &ino), 0);
		ck_assert_int_eq(xfs_path_of(fs, ino, path, sizeof(path)), 0);
		ck_assert_str_eq(path + 1, list[i]);
		ck_assert_int_eq(xfs_path_of(fs, ino, path, 5), -XFS_E_RANGE);
	}
	ck_assert_int_eq(xfs_path_lookup(fs, root, "//links/./..//maps/", &ino), 0);
	ck_assert_int_eq(xfs_path_lookup(fs, ino, "..", &up), 0);
	ck_assert_uint_eq(up.v, root.v);
	ck_assert_int_eq(xfs_path_of(fs, root, path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/");
	ck_assert_int_eq(xfs_path_lookup(fs, root, "plain/nothing", &ino), -XFS_E_NOENT);
	ck_assert_int_eq(xfs_path_lookup(fs, root, "plain/medium/x", &ino), -XFS_E_NOTDIR);
	/* an inode that no directory names */
	ck_assert_int_eq(xfs_path_of(fs, XFS_INO(fs->geo.sb.rbmino), path, sizeof(path)), -XFS_E_NOENT);
}
END_TEST

struct get {
	struct xfs_attrs *a;
	unsigned n, remote;
};

static int get_again(void *payload, const struct xfs_attr *attr)
{
	struct get *g = payload;
	uint8_t *value = malloc(attr->valuelen + 1), *again = malloc(attr->valuelen + 1);
	size_t len;

	ck_assert_int_eq(xfs_attr_value(g->a, attr, value), 0);
	ck_assert_int_eq(xfs_attr_get(g->a, attr->flags & XFS_ATTR_NAMESPACES, attr->name, attr->namelen, again,
				      attr->valuelen, &len), 0);
	ck_assert_uint_eq(len, attr->valuelen);
	ck_assert_mem_eq(value, again, len);
	if (len > 1) {
		again[1] = 0x77;
		ck_assert_int_eq(xfs_attr_get(g->a, attr->flags & XFS_ATTR_NAMESPACES, attr->name, attr->namelen, again,
					      1, &len), 0);
		ck_assert_uint_eq(again[1], 0x77);
		ck_assert_uint_eq(again[0], value[0]);
	}
	ck_assert_int_eq(xfs_attr_get(g->a, XFS_ATTR_SECURE, attr->name, attr->namelen - 1, NULL, 0, &len),
			 -XFS_E_NOENT);
	g->remote += !attr->value;
	g->n++;
	free(value);
	free(again);
	return 0;
}

START_TEST(attributes)
{
	unsigned forms[4] = { 0 }, remote = 0;

	for (uint64_t ino = fs->geo.sb.rootino; ino < 1 << 17; ino++) {
		struct get g = { 0 };
		struct xfs_inode ip;
		struct xfs_attrs a;

		if (xfs_inode_read(fs, XFS_INO(ino), 0, &ip) || !ip.d.core.mode)
			continue;
		ck_assert_int_eq(xfs_attrs_open(&a, &ip, &sink), 0);
		g.a = &a;
		ck_assert_int_eq(xfs_attrs_each(&a, get_again, &g), 0);
		forms[a.form] += g.n != 0 || a.form == XFS_ATTR_NONE;
		remote += g.remote;
	}
	no_findings();
	for (int form = XFS_ATTR_NONE; form <= XFS_ATTR_NODE; form++)
		ck_assert_msg(forms[form] > 0, "no attributes of form %d", form);
	ck_assert_uint_gt(remote, 0);
}
END_TEST

static int print_image(const char *path)
{
	struct xfs_devset set = { 0 };
	struct lister l = { .out = stdout };
	int err = xfs_dev_file(&set.data, path, XFS_DEV_READONLY, 0, NULL);

	if (!err)
		err = xfs_fs_open(&l.fs, &set, NULL, NULL);
	if (!err) {
		list_tree(&l, l.fs->geo.sb.rootino, "", 0);
		err = l.err;
	}
	if (err)
		fprintf(stderr, "%s: %s\n", path, xfs_error_text(err));
	xfs_fs_close(l.fs);
	xfs_dev_close(set.data);
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	Suite *s = suite_create("walk");
	TCase *t = tcase_create("sample image");

	if (argc == 2)
		return print_image(argv[1]);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, whole_tree);
	tcase_add_test(t, names_by_hash);
	tcase_add_test(t, paths);
	tcase_add_test(t, attributes);
	suite_add_tcase(s, t);
	return vectors_main(s);
}

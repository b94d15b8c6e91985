/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_namechange.c - names come, move and go as system calls change them, against a naive tree.
 *
 * With XFSKIT_IMAGE the same happens on an image that mkfs.xfs has made; what should be there goes to the file
 * XFSKIT_EXPECT, one line a path, for others to compare (tests/kernel/names.t).
 */
#include "libxfs/inode/symlink.h"
#include "libxfs/name/verify.h"
#include "libxfs/transaction/names.h"
#include "tests/unit/namemodel.h"
#include "tests/unit/nameshapes.h"
#include "tests/unit/quick.h"
#include "tests/unit/sha256.h"
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t got[XFS_ATTR_VALUE_MAX];

/* ---- comparing ---- */

struct seen {
	uint32_t dir, n;
};

static int compare_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct seen *s = payload;
	struct name_entry *found;
	char text[300];
	unsigned id = 0;

	if (e->name[0] == '.')
		return 0;
	memcpy(text, e->name, e->namelen);
	text[e->namelen] = 0;
	qk_assert_int_eq(sscanf(text, "%u", &id), 1);
	qk_assert_uint_eq(e->namelen, name_text(id, text));
	qk_assert_mem_eq(text, e->name, e->namelen);
	found = name_find(s->dir, id);
	qk_assert_msg(found, "%s in directory %u", text, s->dir);
	qk_assert_uint_eq(e->ino.v, name_nodes[found->node].ino);
	if (name_fs.fs->geo.ftype)
		qk_assert_uint_eq(e->ftype, xfs_mode_ftype(name_nodes[found->node].mode));
	s->n++;
	return 0;
}

static void compare_dir(uint32_t k, const struct xfs_inode *ip)
{
	uint64_t parent = name_nodes[k ? name_nodes[k].parent : 0].ino;
	struct seen s = { k, 0 };
	struct xfs_dir d;
	uint32_t want = 0;

	qk_assert_int_eq(xfs_dir_verify(ip, parent, &livefs_strict), 0);
	qk_assert_int_eq(xfs_dir_open(&d, ip, &livefs_strict), 0);
	qk_assert_int_eq(xfs_dir_each(&d, 0, compare_entry, &s), 0);
	for (unsigned i = 0; i < NAME_ENTRIES; i++)
		want += name_entries[i].used && name_entries[i].dir == k;
	qk_assert_uint_eq(s.n, want);
}

static int compare_parent(void *payload, const struct xfs_parent *p)
{
	struct seen *s = payload;
	char text[300];

	for (unsigned i = 0; i < NAME_ENTRIES; i++)
		if (name_entries[i].used && name_entries[i].node == s->dir &&
		    name_nodes[name_entries[i].dir].ino == p->ino.v &&
		    name_text(name_entries[i].name, text) == p->namelen && !memcmp(text, p->name, p->namelen)) {
			struct xfs_inode dir;

			qk_assert_int_eq(xfs_inode_read(name_fs.fs, p->ino, 0, &dir), 0);
			qk_assert_uint_eq(dir.d.core.gen, p->gen);
			s->n++;
			return 0;
		}
	ck_abort_msg("parent pointer to nowhere");
}

static int count_attr(void *payload, const struct xfs_attr *a)
{
	*(unsigned *)payload += !(a->flags & XFS_ATTR_PARENT);
	return 0;
}

static void compare_attrs(uint32_t k, const struct xfs_inode *ip)
{
	struct seen s = { k, 0 };
	struct xfs_attrs a;
	unsigned want = 0, have = 0, links = 0;
	char text[40];
	size_t len;

	qk_assert_int_eq(xfs_attrs_verify(ip, &livefs_strict), 0);
	qk_assert_int_eq(xfs_attrs_open(&a, ip, &livefs_strict), 0);
	for (unsigned i = 0; i < NAME_ATTRS; i++) {
		struct xfs_attr_want w = name_attr(&name_nodes[k], i, text);
		int err = xfs_attr_get(&a, w.space, w.name, w.namelen, got, sizeof(got), &len);

		qk_assert_int_eq(err, name_nodes[k].attr_seed[i] ? 0 : -XFS_E_NOENT);
		if (err)
			continue;
		qk_assert_uint_eq(len, w.valuelen);
		qk_assert_mem_eq(got, name_value, len);
		want++;
	}
	qk_assert_int_eq(xfs_attrs_each(&a, count_attr, &have), 0);
	qk_assert_uint_eq(have, want);
	if (!name_fs.fs->geo.parent)
		return;
	qk_assert_int_eq(xfs_parents_each(&a, compare_parent, &s), 0);
	for (unsigned i = 0; i < NAME_ENTRIES; i++)
		links += name_entries[i].used && name_entries[i].node == k;
	qk_assert_uint_eq(s.n, links);
}

static void compare(void)
{
	char target[1200], text[1200];
	size_t len;

	qk_assert_int_eq(xfs_edit_sync(name_fs.edit), 0);
	for (uint32_t k = 0; k < NAME_NODES; k++) {
		struct name_node *n = &name_nodes[k];
		struct xfs_inode ip;

		if (!n->ino)
			continue;
		qk_assert_int_eq(xfs_inode_read(name_fs.fs, XFS_INO(n->ino), 0, &ip), 0);
		qk_assert_int_eq(xfs_inode_verify(&ip, &livefs_strict), 0);
		qk_assert_uint_eq(ip.d.core.mode & XFS_MODE_FMT, n->mode & XFS_MODE_FMT);
		qk_assert_uint_eq(xfs_dinode_nlink(&ip.d), n->links);
		if (name_is_dir(k))
			compare_dir(k, &ip);
		if ((n->mode & XFS_MODE_FMT) == XFS_MODE_LNK) {
			qk_assert_int_eq(xfs_symlink_target(&ip, target, &len, &livefs_strict), 0);
			qk_assert_uint_eq(len, name_target(n, text));
			qk_assert_mem_eq(target, text, len);
		}
		compare_attrs(k, &ip);
	}
}

/* ---- running ---- */

static void run(unsigned rounds, unsigned steps)
{
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < steps; i++)
			name_step();
		compare();
	}
}

/* Everything goes. */
static void remove_all(void)
{
	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < NAME_ENTRIES; i++) {
			struct name_entry e = name_entries[i];
			char text[300];
			unsigned len;

			if (!e.used)
				continue;
			more = true;
			if (name_is_dir(e.node) && !name_is_empty(e.node))
				continue;
			len = name_text(e.name, text);
			qk_assert_int_eq((name_is_dir(e.node) ? xfs_name_rmdir :
					  xfs_name_remove)(name_fs.edit, name_nodes[e.dir].ino,
											     text, len), 0);
			name_entries[i].used = false;
			if (name_is_dir(e.node))
				name_nodes[e.dir].links--;
			name_lose_link(e.node);
		}
	}
	compare();
}

/* Without a log; on V5 also with one, and with a checkpoint for each transaction. */
START_TEST(model)
{
	const struct xfs_edit_options logged = { .logged = true, .each = _i % 2 };
	unsigned kinds = XFS_ARRAY_SIZE(name_shapes), i = (unsigned)_i;
	unsigned rounds = getenv("XFSKIT_LONG") ? 60 : i < kinds ? 12 : 3;

	livefs_init(&name_fs, &name_shapes[i < kinds ? i : (i - kinds) / 2], 0, i < kinds ? NULL : &logged);
	name_start(3 + (unsigned)_i, 300);
	for (unsigned k = 0; k < 2; k++) {
		run(rounds, 600);
		livefs_check(&name_fs);
		if (i < kinds)
			livefs_reopen(&name_fs);
		compare();
		remove_all();
		livefs_check(&name_fs);
	}
	livefs_release(&name_fs);
}
END_TEST

/* ---- images ---- */

static unsigned path_of(uint32_t dir, char *path)
{
	unsigned len = 0;

	if (!dir)
		return 0;
	for (unsigned i = 0; i < NAME_ENTRIES; i++)
		if (name_entries[i].used && name_entries[i].node == dir) {
			len = path_of(name_entries[i].dir, path);
			if (len)
				path[len++] = '/';
			return len + name_text(name_entries[i].name, path + len);
		}
	return 0;
}

static void attrs_sum(const struct name_node *n, char hex[65])
{
	static const struct { unsigned k; const char *prefix; } order[] = {
		{ 3, "security." }, { 2, "trusted." }, { 4, "trusted." },
		{ 0, "user." }, { 1, "user." }, { 5, "user." },
	};
	struct hash256 h;
	bool any = false;
	char text[40], full[80];

	hash256_start(&h);
	for (unsigned i = 0; i < NAME_ATTRS; i++) {
		struct xfs_attr_want w = name_attr(n, order[i].k, text);

		if (!n->attr_seed[order[i].k])
			continue;
		any = true;
		hash256_add(&h, full, (size_t)sprintf(full, "%s%s", order[i].prefix, text) + 1);
		hash256_add(&h, full, (size_t)sprintf(full, "%u", (unsigned)w.valuelen) + 1);
		hash256_add(&h, name_value, w.valuelen);
	}
	hash256_end(&h, hex);
	if (!any)
		strcpy(hex, "-");
}

/* As tests/box/guest-walk.c prints it. */
static void print_node(FILE *out, const struct name_node *n, const char *path)
{
	char sum[65] = "-", attrs[65], size[40] = "-", target[1200];
	unsigned fmt = n->mode & XFS_MODE_FMT;
	struct xfs_inode ip;
	struct hash256 h;
	size_t len;

	qk_assert_int_eq(xfs_inode_read(name_fs.fs, XFS_INO(n->ino), 0, &ip), 0);
	hash256_start(&h);
	if (fmt == XFS_MODE_LNK) {
		len = name_target(n, target);
		hash256_add(&h, target, len);
		snprintf(size, sizeof(size), "%zu", len);
	} else if (fmt == XFS_MODE_REG) {
		snprintf(size, sizeof(size), "0");
	} else if (fmt == XFS_MODE_CHR || fmt == XFS_MODE_BLK) {
		snprintf(size, sizeof(size), "%u:%u", xfs_dev_major(n->rdev), xfs_dev_minor(n->rdev));
	}
	if (fmt == XFS_MODE_LNK || fmt == XFS_MODE_REG)
		hash256_end(&h, sum);
	attrs_sum(n, attrs);
	fprintf(out, "%c %llu %04o %u %u %u %s %s %s %s\n", "?pc?d?b?f?l?s"[fmt >> 12], (unsigned long long)n->ino,
		n->mode & 07777, ip.d.core.uid, ip.d.core.gid, n->links, size, sum, attrs, path);
}

START_TEST(image)
{
	char path[8000];
	FILE *out;

	livefs_open_image(&name_fs, getenv("XFSKIT_IMAGE"), NULL);
	name_fs.live->now = (struct xfs_timestamp){ 1700000000, 0 };
	name_start(17, 300);
	run(4, 800);
	livefs_check(&name_fs);
	out = fopen(getenv("XFSKIT_EXPECT"), "w");
	ck_assert_ptr_nonnull(out);
	print_node(out, &name_nodes[0], ".");
	for (unsigned i = 0; i < NAME_ENTRIES; i++)
		if (name_entries[i].used) {
			unsigned len = path_of(name_entries[i].dir, path);

			if (len)
				path[len++] = '/';
			name_text(name_entries[i].name, path + len);
			print_node(out, &name_nodes[name_entries[i].node], path);
		}
	ck_assert_int_eq(fclose(out), 0);
	livefs_release(&name_fs);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("namechange");
	Suite *suite = suite_create("namechange");

	tcase_set_timeout(c, 600);
	suite_add_tcase(suite, c);
	if (getenv("XFSKIT_IMAGE")) {
		tcase_add_test(c, image);
		return vectors_main(suite);
	}
	tcase_add_loop_test(c, model, 0, XFS_ARRAY_SIZE(name_shapes) + 8);
	return vectors_main(suite);
}

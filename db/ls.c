/* SPDX-License-Identifier: BSD-2-Clause */
/* ls.c - entries of directories, and parent pointers of inodes. */
#include "db/report.h"

#include "libxfs/name/hash.h"
#include "libxfs/name/path.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* What is common to commands with paths. */
struct request {
	struct db *db;
	const char *command;
	bool numbers, meta;
	int (*show)(struct request *, const struct xfs_inode *);
};

struct lister {
	struct db *db;
	bool next;			/* the cookie shown is of what lies behind the entry */
};

static void complain(struct request *r, const char *path, const char *what)
{
	db_out(r->db, "%s%s%s\n", path ? path : "", path ? ": " : "", what);
	r->db->status = 1;
}

/* ---- ls ---- */

static const char *type_word(unsigned ftype)
{
	static const char *const words[] = { "unknown", "regular", "directory", "chardev", "blkdev", "fifo", "socket",
		"symlink", "whiteout" };

	return ftype < XFS_ARRAY_SIZE(words) ? words[ftype] : "unknown";
}

static int see_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct lister *l = payload;
	const struct xfs_geometry *g = &l->db->fs->geo;
	struct xfs_dir_item item = { .used = true, .ino = e->ino.v, .name = e->name, .namelen = (uint8_t)e->namelen,
				     .ftype = (uint8_t)e->ftype };
	uint32_t cookie = e->cookie;

	if (l->next)
		cookie += xfs_dir_data_entsize(g->ftype, e->namelen) / 8;
	db_out(l->db, "%-10u %-18llu %-14s 0x%08x %3u %.*s %s\n", cookie, (unsigned long long)e->ino.v,
	       type_word(e->ftype), xfs_dir_hash(g, e->name, e->namelen), e->namelen, (int)e->namelen,
	       (const char *)e->name, xfs_dir_entry_problem(g, &item) ? "(corrupt)" : "(good)");
	return 0;
}

static int list(struct request *r, const struct xfs_inode *ip)
{
	struct lister l = { .db = r->db };
	struct xfs_dir dir;
	int err = xfs_dir_open(&dir, ip, NULL);

	if (err)
		return err;
	l.next = dir.form != XFS_DIR_SHORT && dir.form != XFS_DIR_BLOCK;
	return xfs_dir_each(&dir, 0, see_entry, &l);
}

/* ---- parent ---- */

static int see_parent(void *payload, const struct xfs_parent *p)
{
	struct request *r = payload;

	db_out(r->db, "%18llu:0x%08x %3u %.*s\n", (unsigned long long)p->ino.v, p->gen, p->namelen, (int)p->namelen,
	       (const char *)p->name);
	return 0;
}

static int show_parents(struct request *r, const struct xfs_inode *ip)
{
	struct xfs_attrs attrs;
	int err;

	if (!r->db->fs->geo.parent)
		return 0;
	err = xfs_attrs_open(&attrs, ip, NULL);
	if (!err)
		err = xfs_parents_each(&attrs, see_parent, r);
	return err == -XFS_E_NOENT ? 0 : err;
}

/* ---- both ---- */

/* One inode, by path or the current one. */
static void show_inode(struct request *r, const char *path, uint64_t ino)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	int err = ip ? xfs_inode_read(r->db->fs, XFS_INO(ino), 0, ip) : -XFS_E_NOMEM;

	if (!err && r->show == list && !xfs_inode_is_dir(ip))
		err = -XFS_E_NOTDIR;
	if (!err && path)
		db_out(r->db, "%s:\n", path);
	if (!err)
		err = r->show(r, ip);
	if (err)
		complain(r, path, strerror(xfs_error_errno(err)));
	free(ip);
}

static void show_path(struct request *r, const char *path)
{
	const struct xfs_sb *sb = &r->db->fs->geo.sb;
	uint64_t from = r->meta ? sb->metadirino : *path == '/' ? sb->rootino : db_top(r->db)->at.ino;
	xfs_ino_t ino;
	int err = from == XFS_NULL64 ? -XFS_E_NOTDIR : xfs_path_lookup(r->db->fs, XFS_INO(from), path, &ino);

	if (err)
		complain(r, path, strerror(xfs_error_errno(err)));
	else if (r->numbers)
		db_out(r->db, "%llu\n", (unsigned long long)ino.v);
	else
		show_inode(r, path, ino.v);
}

static void run(struct request *r, const char *options, int argc, char **argv)
{
	uint64_t ino = db_top(r->db)->at.ino;
	int opt;

	optind = 0;
	while ((opt = getopt(argc, argv, options)) != -1) {
		switch (opt) {
		case 'i': r->numbers = true; break;
		case 'm': r->meta = true; break;
		default:
			db_out(r->db, "\n%s\n", db_command_find(r->command)->help);
			return;
		}
	}
	if (r->meta && !r->db->fs->geo.metadir) {
		complain(r, NULL, "filesystem does not support metadata directories.");
		return;
	}
	for (int i = optind; i < argc; i++)
		show_path(r, argv[i]);
	if (optind < argc)
		return;
	if (ino == XFS_NULL64)
		complain(r, NULL, strerror(r->numbers ? ENOENT : ENOTDIR));
	else if (r->numbers)
		db_out(r->db, "%llu\n", (unsigned long long)ino);
	else
		show_inode(r, NULL, ino);
}

void db_run_ls(struct db *db, int argc, char **argv)
{
	struct request r = { .db = db, .command = "ls", .show = list };

	run(&r, "im", argc, argv);
}

void db_run_parent(struct db *db, int argc, char **argv)
{
	struct request r = { .db = db, .command = "parent", .show = show_parents };

	run(&r, "m", argc, argv);
}

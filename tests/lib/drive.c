/* SPDX-License-Identifier: BSD-2-Clause */
/* drive.c - operations of scripts, done to an image by the library. */
#include "tests/lib/drive.h"

#include "libxfs/name/dir.h"
#include "libxfs/transaction/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void keep_finding(void *payload, const struct xfs_finding *f)
{
	struct drive *d = payload;

	xfs_finding_format(f, d->finding, sizeof(d->finding));
}

int drive_attach(struct drive *d, const char *image)
{
	struct xfs_dev *top;
	int err = xfs_dev_file(&d->set.data, d->base ? d->base : image, d->base ? XFS_DEV_READONLY : 0, 0, NULL);

	if (!err && d->base) {
		err = xfs_dev_overlay(&top, d->set.data, 0, (size_t)256 << 20, NULL);
		if (!err)
			d->set.data = d->memory = top;
	}
	if (!err)
		err = xfs_dev_fault(&top, d->set.data, &d->plan);
	if (!err)
		d->set.data = top;
	return err;
}

struct saving { struct drive *d; int fd; };

static int save_run(void *payload, uint64_t off, uint64_t len)
{
	struct saving *s = payload;
	uint8_t bytes[4096];
	int err = 0;

	for (; !err && len; ) {
		size_t n = xfs_min(len, sizeof(bytes));

		err = xfs_dev_read(s->d->memory, off, bytes, n);
		if (!err && pwrite(s->fd, bytes, n, (off_t)off) != (ssize_t)n)
			err = -XFS_E_IO;
		off += n;
		len -= n;
	}
	return err;
}

/* What is not a hole. */
static int copy_base(const char *base, int to)
{
	static uint8_t bytes[1 << 16];
	int fd = open(base, O_RDONLY), err = fd < 0 ? -XFS_E_OPEN : 0;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END), at = 0;

	if (!err && ftruncate(to, size))
		err = -XFS_E_IO;
	while (!err && (at = lseek(fd, at, SEEK_DATA)) >= 0 && at < size) {
		off_t end = lseek(fd, at, SEEK_HOLE);

		while (!err && at < end) {
			ssize_t n = pread(fd, bytes, (size_t)xfs_min((off_t)sizeof(bytes), end - at), at);

			if (n <= 0 || pwrite(to, bytes, (size_t)n, at) != n)
				err = -XFS_E_IO;
			at += n;
		}
	}
	if (fd >= 0)
		close(fd);
	return err;
}

int drive_save(struct drive *d, const char *image)
{
	struct saving s = { d, open(image, O_RDWR | O_CREAT | O_TRUNC, 0666) };
	int err = s.fd < 0 ? -XFS_E_OPEN : copy_base(d->base, s.fd);

	if (!err)
		err = xfs_dev_overlay_changes(d->memory, save_run, &s);
	if (s.fd >= 0 && close(s.fd))
		err = -XFS_E_IO;
	return err;
}

int drive_open(struct drive *d, const char *image, const struct xfs_edit_options *options)
{
	static const struct xfs_edit_options direct;
	const struct xfs_sink sink = { keep_finding, d };
	int err = drive_attach(d, image);

	if (!err)
		err = xfs_fs_open(&d->fs, &d->set, NULL, &sink);
	if (!err)
		err = xfs_edit_open(&d->edit, d->fs, options ? options : &direct);
	if (!err) {
		struct xfs_live *live = xfs_edit_live(d->edit);

		live->now = (struct xfs_timestamp){ 1700000000, 5 };
		live->generation = 77;
	}
	return err;
}

void drive_close(struct drive *d)
{
	xfs_edit_close(d->edit);
	if (d->fs)
		xfs_fs_close(d->fs);
	xfs_dev_close(d->set.data);
	*d = (struct drive){ .plan = d->plan, .base = d->base };
}

/* ---- paths ---- */

static int enter(struct drive *d, uint64_t dir, const char *name, size_t len, uint64_t *ino)
{
	struct xfs_live_inode *li;
	struct xfs_dir open;
	xfs_ino_t found;
	int err = xfs_live_inode_get(xfs_edit_live(d->edit), dir, &li);

	if (err)
		return err;
	err = xfs_dir_open(&open, &li->i, NULL);
	if (!err)
		err = xfs_dir_lookup(&open, name, len, &found, NULL, NULL);
	xfs_live_inode_put(li);
	if (!err)
		*ino = found.v;
	return err;
}

struct place { uint64_t dir; const char *name; size_t len; };

/* The directory of the last name of a path, which may be "" for the root. */
static int walk(struct drive *d, const char *path, struct place *p)
{
	int err = 0;

	p->dir = d->fs->geo.sb.rootino;
	while (!err) {
		size_t len = strcspn(path, "/");

		if (len == 0 && *path) {
			path++;
			continue;
		}
		p->name = path;
		p->len = len;
		path += len;
		if (!*path)
			return 0;
		err = enter(d, p->dir, p->name, len, &p->dir);
	}
	return err;
}

static int look(struct drive *d, const char *path, uint64_t *ino)
{
	struct place p;
	int err = walk(d, path, &p);

	*ino = p.dir;
	return err || !p.len ? err : enter(d, p.dir, p.name, p.len, ino);
}

static int hold(struct drive *d, const char *path, struct xfs_live_inode **li)
{
	uint64_t ino;
	int err = look(d, path, &ino);

	return err ? err : xfs_live_inode_get(xfs_edit_live(d->edit), ino, li);
}

/* ---- names ---- */

static int make(struct drive *d, const struct fsx_op *op)
{
	struct xfs_new_file f = { .mode = (uint16_t)(op->n[1] & 07777) };
	const char *path = op->text[op->verb == FSX_SYMLINK ? 1 : 0];
	struct place p;
	uint64_t ino;
	int err = walk(d, path, &p);

	if (err)
		return err;
	if (op->verb == FSX_SYMLINK) {
		f.mode = XFS_MODE_LNK | 0777;
		f.target = op->text[0];
		f.targetlen = strlen(f.target);
	} else if (op->verb == FSX_MKNOD) {
		char kind = *op->text[1];

		f.mode = (uint16_t)(0600 | (kind == 'c' ? XFS_MODE_CHR : kind == 'b' ? XFS_MODE_BLK
					    : kind == 'p' ? XFS_MODE_FIFO : XFS_MODE_SOCK));
		if (kind == 'c' || kind == 'b')
			f.rdev = xfs_dev_pack((uint32_t)op->n[2], (uint32_t)op->n[3]);
	} else {
		f.mode = (uint16_t)(f.mode | (op->verb == FSX_MKDIR ? XFS_MODE_DIR : XFS_MODE_REG));
		if (op->nargs > 3) {
			f.uid = (uint32_t)op->n[2];
			f.gid = (uint32_t)op->n[3];
		}
	}
	if (op->verb != FSX_TMPFILE)
		return xfs_name_create(d->edit, p.dir, p.name, p.len, &f, &ino);
	/* not when that is unknown: a file would stay without a name */
	err = enter(d, p.dir, p.name, p.len, &ino);
	if (err != -XFS_E_NOENT)
		return err ? err : -XFS_E_EXISTS;
	err = xfs_name_tmpfile(d->edit, p.dir, &f, &ino);
	if (err)
		return err;
	err = xfs_name_add(d->edit, p.dir, p.name, p.len, ino);
	/* a second try of both would leave the first file without a name */
	return err == -XFS_E_NOMEM ? xfs_name_add(d->edit, p.dir, p.name, p.len, ino) : err;
}

/*
 * What may lose its last name is held, so that the change of names is one chain, to be done or done again as a whole.
 */
static int hold_victim(struct drive *d, const struct place *at, struct xfs_live_inode **li)
{
	uint64_t ino;
	int err = enter(d, at->dir, at->name, at->len, &ino);

	*li = NULL;
	if (!err)
		err = xfs_live_inode_get(xfs_edit_live(d->edit), ino, li);
	/* that there is none, or the name can't be, is for the change itself to say */
	return err == -XFS_E_FAULT || err == -XFS_E_IO || err == -XFS_E_NOMEM ? err : 0;
}

static int drop_victim(struct drive *d, struct xfs_live_inode *li, int err)
{
	if (li && !err && li->refs == 1 && li->i.d.core.mode && !xfs_dinode_nlink(&li->i.d)) {
		err = xfs_inode_inactivate(d->edit, li);
		if (err == -XFS_E_NOMEM)
			err = xfs_inode_inactivate(d->edit, li);
	}
	xfs_live_inode_put(li);
	return err;
}

static int change_name(struct drive *d, const struct fsx_op *op)
{
	struct xfs_live_inode *victim;
	struct place a, b;
	uint64_t ino;
	int err = op->verb == FSX_LINK ? look(d, op->text[0], &ino) : walk(d, op->text[0], &a);

	if (err)
		return err;
	if (op->verb == FSX_UNLINK || op->verb == FSX_RMDIR) {
		err = hold_victim(d, &a, &victim);
		if (!err)
			err = (op->verb == FSX_RMDIR ? xfs_name_rmdir : xfs_name_remove)(d->edit, a.dir, a.name, a.len);
		return drop_victim(d, victim, err);
	}
	err = walk(d, op->text[1], &b);
	if (err)
		return err;
	if (op->verb == FSX_LINK)
		return xfs_name_add(d->edit, b.dir, b.name, b.len, ino);
	const char *how = op->nargs > 2 ? op->text[2] : "";
	struct xfs_rename r = {
		.from_dir = a.dir, .from = a.name, .from_len = a.len, .to_dir = b.dir, .to = b.name, .to_len = b.len,
		.flags = *how == 'n' ? XFS_RENAME_NOREPLACE : *how == 'e' ? XFS_RENAME_EXCHANGE
			: *how == 'w' ? XFS_RENAME_WHITEOUT : 0,
	};
	err = hold_victim(d, &b, &victim);
	return drop_victim(d, victim, err ? err : xfs_name_rename(d->edit, &r));
}

/* ---- contents ---- */

static int write_file(struct drive *d, struct xfs_live_inode *li, const struct fsx_op *op)
{
	uint8_t *data = malloc(op->n[2] + 1);
	int err = data ? 0 : -XFS_E_NOMEM;

	if (!err) {
		fsx_fill(data, op->n[2], op->n[3]);
		err = xfs_file_write(d->edit, li, op->n[1], data, op->n[2]);
	}
	free(data);
	return err;
}

static int change_file(struct drive *d, const struct fsx_op *op)
{
	struct xfs_live_inode *li, *to = NULL;
	uint64_t off = op->n[1], len = op->n[2];
	bool keep = op->nargs > 3 && op->text[3] && strcmp(op->text[3], "keep") == 0;
	int err = hold(d, op->text[0], &li);

	if (err)
		return err;
	if (op->verb == FSX_SHARE || op->verb == FSX_SWAP)
		err = hold(d, op->text[2], &to);
	if (!err)
		switch (op->verb) {
		case FSX_WRITE: err = write_file(d, li, op); break;
		case FSX_TRUNCATE: err = xfs_file_truncate(d->edit, li, off); break;
		case FSX_PUNCH: err = xfs_file_punch(d->edit, li, off, len); break;
		case FSX_COLLAPSE: err = xfs_file_collapse(d->edit, li, off, len); break;
		case FSX_INSERT: err = xfs_file_insert(d->edit, li, off, len); break;
		case FSX_PREALLOC: err = xfs_file_prealloc(d->edit, li, off, len, keep); break;
		case FSX_ZERO: err = xfs_file_zero(d->edit, li, off, len, keep); break;
		case FSX_UNSHARE: err = xfs_file_unshare(d->edit, li, off, len); break;
		case FSX_SHARE: err = xfs_file_share(d->edit, li, off, to, op->n[3], op->n[4]); break;
		default: err = xfs_file_exchange(d->edit, li, off, to, op->n[3], op->n[4], !op->n[4]);
		}
	xfs_live_inode_put(to);
	xfs_live_inode_put(li);
	return err;
}

/* ---- attributes and the rest ---- */

static int change_attr(struct drive *d, const struct fsx_op *op)
{
	const char *how = op->nargs > 5 ? op->text[5] : "";
	uint8_t *value = malloc(op->n[3] + 1);
	struct xfs_attr_want w = {
		.name = (const uint8_t *)op->text[2], .namelen = (uint8_t)strlen(op->text[2]), .value = value,
		.valuelen = (uint32_t)op->n[3],
		.space = *op->text[1] == 't' ? XFS_ATTR_ROOT : *op->text[1] == 's' ? XFS_ATTR_SECURE : 0,
	};
	uint64_t ino;
	int err = value ? look(d, op->text[0], &ino) : -XFS_E_NOMEM;

	if (!err && op->verb == FSX_SETATTR) {
		fsx_fill(value, op->n[3], op->n[4]);
		err = xfs_name_attr_set(d->edit, ino, &w, *how == 'c' ? XFS_ATTR_CREATE
					: *how == 'r' ? XFS_ATTR_REPLACE : XFS_ATTR_ANYHOW);
	} else if (!err) {
		err = xfs_name_attr_remove(d->edit, ino, &w);
	}
	free(value);
	return err;
}

static int change_core(struct drive *d, const struct fsx_op *op)
{
	struct xfs_live_inode *li;
	struct xfs_trans t = { .edit = NULL };
	int err = hold(d, op->text[0], &li);

	if (err)
		return err;
	err = xfs_trans_begin(&t, d->edit, 0);
	if (!err)
		err = xfs_live_inode_join(li, &t.change);
	if (!err && op->verb == FSX_CHMOD) {
		li->i.d.core.mode = (uint16_t)((li->i.d.core.mode & XFS_MODE_FMT) | (op->n[1] & 07777));
	} else if (!err) {
		li->i.d.core.uid = (uint32_t)op->n[1];
		li->i.d.core.gid = (uint32_t)op->n[2];
	}
	if (!err) {
		xfs_live_inode_stamp(li, 4);
		err = xfs_trans_commit(&t);
	}
	xfs_trans_abort(&t);
	xfs_live_inode_put(li);
	return err;
}

int drive_do(struct drive *d, const struct fsx_op *op)
{
	switch (op->verb) {
	case FSX_CREATE:
	case FSX_MKDIR:
	case FSX_SYMLINK:
	case FSX_MKNOD:
	case FSX_TMPFILE:
		return make(d, op);
	case FSX_LINK:
	case FSX_UNLINK:
	case FSX_RMDIR:
	case FSX_RENAME:
		return change_name(d, op);
	case FSX_SETATTR:
	case FSX_REMOVEATTR:
		return change_attr(d, op);
	case FSX_CHMOD:
	case FSX_CHOWN:
		return change_core(d, op);
	case FSX_SYNC:
		return xfs_edit_sync(d->edit);
	case FSX_QUIESCE:
		return xfs_edit_quiesce(d->edit);
	default:
		return change_file(d, op);
	}
}

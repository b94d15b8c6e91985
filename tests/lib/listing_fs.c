/* SPDX-License-Identifier: BSD-2-Clause */
/* listing_fs.c - the list of all files of a filesystem, read by the library. */
#include "libxfs/inode/symlink.h"
#include "libxfs/name/path.h"
#include "libxfs/ondisk/attr.h"
#include "tests/lib/listing.h"

#include <stdlib.h>

#define MOST ((uint64_t)64 << 20)	/* bytes of a file */
#define ATTRS 8192u

struct walk {
	struct listing *out;
	struct xfs_fs *fs;
	char path[5000];
	size_t pathlen;
	unsigned depth;
	struct listing_attr attrs[ATTRS];
	unsigned nattrs;
	struct xfs_attrs *open;
	int err;
};

static int keep_attr(void *payload, const struct xfs_attr *a)
{
	struct walk *w = payload;
	struct listing_attr *t = &w->attrs[w->nattrs];

	if (a->flags & (XFS_ATTR_INCOMPLETE | XFS_ATTR_PARENT))
		return 0;
	if (w->nattrs == ATTRS)
		return -XFS_E_RANGE;
	snprintf(t->name, sizeof(t->name), "%s.%.*s",
		 a->flags & XFS_ATTR_ROOT ? "trusted" : a->flags & XFS_ATTR_SECURE ? "security" : "user",
		 (int)a->namelen, (const char *)a->name);
	t->len = a->valuelen;
	t->value = malloc(a->valuelen + 1u);
	w->nattrs++;
	return t->value ? xfs_attr_value(w->open, a, t->value) : -XFS_E_NOMEM;
}

static int attrs_of(struct walk *w, const struct xfs_inode *ip, char *digest)
{
	struct xfs_attrs a;
	int err = xfs_attrs_open(&a, ip, NULL);

	w->open = &a;
	w->nattrs = 0;
	if (!err)
		err = xfs_attrs_each(&a, keep_attr, w);
	if (!err)
		listing_attrs_digest(w->out, w->attrs, w->nattrs, digest);
	for (unsigned i = 0; i < w->nattrs; i++)
		free(w->attrs[i].value);
	return err;
}

static int contents_of(struct walk *w, const struct xfs_inode *ip, char *digest)
{
	uint64_t size = ip->d.core.size;
	struct xfs_ifork f;
	uint8_t *bytes;
	size_t got = 0;
	int err;

	if (size > MOST)
		return -XFS_E_TOOBIG;
	bytes = malloc(size + 1);
	err = bytes ? xfs_ifork_init(&f, ip, XFS_FORK_DATA) : -XFS_E_NOMEM;
	if (!err && size)
		err = xfs_ifork_read(&f, 0, bytes, size, &got);
	if (!err && got != size)
		err = -XFS_E_SHORT;
	if (!err)
		listing_digest(w->out, bytes, size, digest);
	free(bytes);
	return err;
}

static int show(struct walk *w, const struct xfs_inode *ip)
{
	const struct xfs_dinode_core *c = &ip->d.core;
	char size[40] = "-", what[80] = "-", attrs[80], target[XFS_SYMLINK_MAXLEN + 1];
	unsigned fmt = c->mode & XFS_MODE_FMT;
	int err = attrs_of(w, ip, attrs);
	size_t n;

	if (!err && fmt == XFS_MODE_REG)
		err = contents_of(w, ip, what);
	if (!err && fmt == XFS_MODE_LNK) {
		err = xfs_symlink_target(ip, target, &n, NULL);
		if (!err)
			listing_digest(w->out, target, n, what);
	}
	if (fmt == XFS_MODE_REG || fmt == XFS_MODE_LNK)
		sprintf(size, "%llu", (unsigned long long)c->size);
	if (fmt == XFS_MODE_CHR || fmt == XFS_MODE_BLK) {
		uint32_t dev = xfs_be32(ip->raw + xfs_dinode_literal_off(c->version));

		sprintf(size, "%u:%u", (unsigned)(dev >> 18), (unsigned)(dev & 0x3ffff));
	}
	if (!err)
		listing_add(w->out, c->mode, c->uid, c->gid, c->nlinkv2, size, what, attrs, w->path, NULL);
	return err;
}

static int visit(struct walk *w, xfs_ino_t ino);

static int enter(void *payload, const struct xfs_dir_entry *e)
{
	struct walk *w = payload;
	size_t before = w->pathlen;
	int n, err;

	if ((e->namelen == 1 && e->name[0] == '.') || (e->namelen == 2 && e->name[0] == '.' && e->name[1] == '.'))
		return 0;
	n = snprintf(w->path + before, sizeof(w->path) - before, "%s%.*s", before ? "/" : "", (int)e->namelen,
		     (const char *)e->name);
	if (n < 0 || (size_t)n >= sizeof(w->path) - before)
		return -XFS_E_NAMETOOLONG;
	w->pathlen += (size_t)n;
	err = visit(w, e->ino);
	w->pathlen = before;
	w->path[before] = 0;
	return err;
}

static int visit(struct walk *w, xfs_ino_t ino)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_dir d;
	int err = !ip ? -XFS_E_NOMEM : w->depth > 200 ? -XFS_E_LOOP : xfs_inode_read(w->fs, ino, 0, ip);

	w->depth++;
	if (!err)
		err = show(w, ip);
	if (!err && xfs_inode_is_dir(ip)) {
		err = xfs_dir_open(&d, ip, NULL);
		if (!err)
			err = xfs_dir_each(&d, 0, enter, w);
	}
	if (err && !w->err)
		fprintf(stderr, "fsx: /%s: %s\n", w->path, xfs_error_text(err));
	w->err = err;
	w->depth--;
	free(ip);
	return err;
}

int listing_of_fs(struct listing *l, struct xfs_fs *fs)
{
	struct walk *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -XFS_E_NOMEM;
	w->out = l;
	w->fs = fs;
	err = visit(w, XFS_INO(fs->geo.sb.rootino));
	free(w);
	listing_sort(l);
	return err;
}

int listing_file_read(const char *image, const char *path, struct listing_file *out)
{
	struct xfs_devset set = { .data = NULL };
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_fs *fs = NULL;
	struct xfs_ifork f;
	xfs_ino_t ino;
	size_t got = 0;
	int err = ip ? xfs_dev_file(&set.data, image, XFS_DEV_READONLY, 0, NULL) : -XFS_E_NOMEM;

	*out = (struct listing_file){ NULL, 0 };
	if (!err)
		err = xfs_fs_open(&fs, &set, NULL, NULL);
	if (!err)
		err = xfs_path_lookup(fs, XFS_INO(fs->geo.sb.rootino), path, &ino);
	if (!err)
		err = xfs_inode_read(fs, ino, 0, ip);
	if (!err && ip->d.core.size > MOST)
		err = -XFS_E_TOOBIG;
	if (!err) {
		out->size = ip->d.core.size;
		out->bytes = calloc(1, out->size + 512);
		err = out->bytes ? xfs_ifork_init(&f, ip, XFS_FORK_DATA) : -XFS_E_NOMEM;
	}
	if (!err && out->size)
		err = xfs_ifork_read(&f, 0, out->bytes, out->size, &got);
	if (fs)
		xfs_fs_close(fs);
	xfs_dev_close(set.data);
	free(ip);
	return err;
}

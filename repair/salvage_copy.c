/* SPDX-License-Identifier: BSD-2-Clause */
/* salvage_copy.c - one file out of the filesystem: contents with holes, mode, times, owner, attributes. */
#include "repair/salvage.h"

#include "libxfs/inode/symlink.h"
#include "libxfs/name/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

bool salvage_name_ok(const void *name, size_t len)
{
	const char *s = name;

	return len && len <= 255 && !memchr(s, '/', len) && !memchr(s, '\0', len) && !(len == 1 && s[0] == '.') &&
	       !(len == 2 && s[0] == '.' && s[1] == '.');
}

void salvage_note(struct salvage *s, uint64_t ino, const char *path, const char *type, uint64_t bytes, uint64_t bad,
		  const char *note)
{
	struct xfs_json *j = &s->report;

	xfs_json_object(j, NULL);
	xfs_json_u64(j, "ino", ino);
	if (path)
		xfs_json_bytes(j, "path", path, strlen(path));
	xfs_json_string(j, "type", type);
	xfs_json_u64(j, "bytes", bytes);
	if (bad)
		xfs_json_u64(j, "unreadable_bytes", bad);
	if (note)
		xfs_json_string(j, "problem", note);
	xfs_json_object_end(j);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static int put_bytes(int fd, const uint8_t *p, size_t len, uint64_t off)
{
	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return errno == ENOSPC || errno == EDQUOT ? -XFS_E_NOSPC :
			       errno == EFBIG ? -XFS_E_TOOBIG : -XFS_E_IO;
		p += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

/* Zeroes are left as holes. */
static int put_range(struct salvage *s, int fd, struct xfs_dev *dev, uint64_t from, uint64_t len, uint64_t off,
		     uint64_t *bad)
{
	int error = 0;

	while (len && !error) {
		size_t n = (size_t)xfs_min(len, SALVAGE_PIECE);
		struct xfs_iovec v = { from, n, s->buf, 0 };

		if (xfs_dev_readv(dev, &v, 1)) {
			/* what can't be read is zero in the buffer; count it sector by sector */
			for (size_t at = 0; at < n; at += 512) {
				size_t part = n - at < 512 ? n - at : 512;

				*bad += xfs_dev_read(dev, from + at, s->buf + at, part) ? part : 0;
			}
		}
		for (size_t at = 0; at < n && !error; at += 4096) {
			size_t part = n - at < 4096 ? n - at : 4096;

			if (!is_zero(s->buf + at, part))
				error = put_bytes(fd, s->buf + at, part, off + at);
		}
		from += n;
		off += n;
		len -= n;
	}
	return error;
}

int salvage_put(struct salvage *s, int fd, uint64_t fsbno, uint64_t blocks, uint64_t off, uint64_t size, uint64_t *bad)
{
	uint64_t at = off << s->r->geo.blocklog, len = blocks << s->r->geo.blocklog;

	if (at >= size)
		return 0;
	return put_range(s, fd, s->r->dev.data, xfs_fsbno_byte(&s->r->geo, XFS_FSBNO(fsbno)), xfs_min(len, size - at),
			 at, bad);
}

struct copying {
	struct salvage *s;
	int fd;
	uint64_t size, bad;
	bool realtime;
	int error;
};

static int one_extent(void *payload, const struct xfs_extent *e)
{
	struct copying *c = payload;
	struct repair *r = c->s->r;
	uint64_t at = e->off << r->geo.blocklog, len = (uint64_t)e->len << r->geo.blocklog;
	struct xfs_dev *dev;

	if (e->unwritten || at >= c->size)
		return 0;
	len = xfs_min(len, c->size - at);
	if (c->realtime) {
		uint64_t byte = xfs_rtblock_byte(c->s->fs, e->block, &dev);

		if (!dev) {
			c->bad += len;
			return 0;
		}
		c->error = put_range(c->s, c->fd, dev, byte, len, at, &c->bad);
	} else {
		c->error = salvage_put(c->s, c->fd, e->block, e->len, e->off, c->size, &c->bad);
	}
	return c->error;
}

/* Contents; *bad counts bytes that could not be read, *note what is wrong with the map. */
static int copy_contents(struct salvage *s, const struct xfs_inode *ip, int fd, uint64_t *bad, const char **note)
{
	struct copying c = { .s = s, .fd = fd, .size = ip->d.core.size, .realtime = xfs_inode_is_realtime(ip) };
	struct xfs_ifork f;
	int error = xfs_ifork_init(&f, ip, XFS_FORK_DATA);

	if (c.size > INT64_MAX)
		c.size = 0;
	if (!error)
		error = xfs_ifork_each(&f, one_extent, &c);
	*bad = c.bad;
	if (c.error == -XFS_E_TOOBIG) {
		*note = "too large for this folder";
		return 0;
	}
	if (c.error)
		return c.error;
	if (error == -XFS_E_NOMEM)
		return error;
	if (error)
		*note = "its block map is damaged: copied as far as it could be read";
	if (ftruncate(fd, (off_t)c.size))
		*note = "too large for this folder";
	return 0;
}

struct dressing {
	struct salvage *s;
	struct xfs_attrs *attrs;
	int fd;
};

static int one_attr(void *payload, const struct xfs_attr *a)
{
	struct dressing *d = payload;
	const char *prefix = a->flags & XFS_ATTR_ROOT ? "trusted." : "user.";
	uint8_t *value;
	char name[264];

	if (a->flags & (XFS_ATTR_SECURE | XFS_ATTR_PARENT | XFS_ATTR_INCOMPLETE) || !a->namelen || a->namelen > 255 ||
	    memchr(a->name, '\0', a->namelen))
		return 0;
	if (a->flags & XFS_ATTR_ROOT && (geteuid() || !strncmp((const char *)a->name, "SGI_", 4)))
		return 0;
	if (snprintf(name, sizeof(name), "%s%.*s", prefix, (int)a->namelen, (const char *)a->name) >= (int)sizeof(name))
		return 0;
	value = malloc(a->valuelen + 1u);
	if (!value)
		return -XFS_E_NOMEM;
	/* not every filesystem takes attributes, or as many */
	if (!xfs_attr_value(d->attrs, a, value))
		(void)fsetxattr(d->fd, name, value, a->valuelen, XATTR_CREATE);
	free(value);
	return 0;
}

static struct timespec time_of(const struct xfs_dinode *d, uint64_t raw)
{
	struct xfs_timestamp t = xfs_time_decode(raw, xfs_dinode_has_bigtime(d));

	return (struct timespec){ .tv_sec = (time_t)t.sec, .tv_nsec = t.nsec < 1000000000u ? (long)t.nsec : 0 };
}

void salvage_dress(struct salvage *s, const struct xfs_inode *ip, int fd)
{
	const struct timespec times[2] = { time_of(&ip->d, ip->d.core.atime), time_of(&ip->d, ip->d.core.mtime) };
	struct xfs_attrs attrs;
	struct dressing dress = { s, &attrs, fd };

	/* each as far as the host lets us */
	if (ip->d.core.forkoff && !xfs_attrs_open(&attrs, ip, NULL))
		(void)xfs_attrs_each(&attrs, one_attr, &dress);
	if (!geteuid() && fchown(fd, ip->d.core.uid, ip->d.core.gid))
		errno = 0;
	if (fchmod(fd, ip->d.core.mode & 0777))
		errno = 0;
	if (futimens(fd, times))
		errno = 0;
}

static int copy_symlink(struct salvage *s, const struct xfs_inode *ip, int folder, const char *name, const char *path)
{
	char target[XFS_SYMLINK_MAXLEN + 1];
	size_t len;

	if (xfs_symlink_target(ip, target, &len, NULL)) {
		salvage_note(s, ip->ino.v, path, "symlink", 0, 0, "its target can't be read");
		s->left_out++;
	} else if (symlinkat(target, folder, name)) {
		salvage_note(s, ip->ino.v, path, "symlink", 0, 0, strerror(errno));
		s->left_out++;
	} else {
		salvage_note(s, ip->ino.v, path, "symlink", len, 0, NULL);
		s->files++;
	}
	return 0;
}

static int copy_file(struct salvage *s, const struct xfs_inode *ip, int folder, const char *name, const char *path)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), error;
	const char *note = NULL;
	uint64_t bad = 0;

	if (fd < 0) {
		salvage_note(s, ip->ino.v, path, "file", 0, 0, strerror(errno));
		s->left_out++;
		return errno == ENOSPC || errno == EDQUOT ? -XFS_E_NOSPC : 0;
	}
	error = copy_contents(s, ip, fd, &bad, &note);
	salvage_dress(s, ip, fd);
	if (close(fd) && !error)
		error = -XFS_E_IO;
	if (!error) {
		s->files++;
		s->bytes += ip->d.core.size;
		s->unreadable += bad;
		salvage_note(s, ip->ino.v, path, "file", ip->d.core.size, bad,
			     note ? note : bad ? "parts can't be read; they are zero" : NULL);
	}
	return error;
}

int salvage_copy(struct salvage *s, const struct xfs_inode *ip, int folder, const char *name, const char *path)
{
	switch (xfs_inode_fmt(ip)) {
	case XFS_MODE_REG:
		return copy_file(s, ip, folder, name, path);
	case XFS_MODE_LNK:
		return copy_symlink(s, ip, folder, name, path);
	default:
		salvage_note(s, ip->ino.v, path, "special", 0, 0, "device files, pipes and sockets are not copied");
		s->left_out++;
		return 0;
	}
}

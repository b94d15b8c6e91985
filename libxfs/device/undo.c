/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * undo.c - makes changes revocable: before-images are durable before the changes are.
 *
 * Changes are collected in an overlay above the device.  Releasing them goes: before-images of what differs and was not
 * recorded yet, in disk order, to the file; fdatasync(); the changes to the device; the overlay is empty again.
 */
#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/base/extents.h"
#include "libxfs/base/fdio.h"
#include "libxfs/device/undo_priv.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELD_MAX (UINT64_C(256) << 20)		/* bytes written since the last release before one is forced */
#define MEMORY ((size_t)64 << 20)		/* of the overlay; the rest of what is held is in a file */

struct undo_dev {
	struct xfs_dev dev;
	struct xfs_dev *top;		/* overlay above below; owns both */
	struct xfs_dev *below;
	int fd;
	struct xfs_dev_undo_info info;	/* end, records: of what is durable */
	uint64_t end;			/* of the file as written */
	uint64_t records;		/* as written */
	uint32_t crc;			/* over all data written */
	pthread_rwlock_t lock;		/* writers of the device share it, releasing excludes them */
	pthread_mutex_t held_lock;
	uint64_t held;			/* bytes written since the last release; under held_lock */
	int error;			/* of a release; under lock */
	struct xfs_extents recorded;	/* sectors that have a before-image, in order of the device */
	struct xfs_extents changed;	/* sectors of this release */
	uint8_t *buf;			/* XFS_UNDO_DATA_MAX */
};

/* --- before-images --- */

static int record_append(struct undo_dev *u, const struct undo_head *h, const uint8_t *data)
{
	uint8_t head[XFS_UNDO_HEAD];
	int err;

	xfs_undo_head_encode(head, h);
	err = xfs_fd_write(u->fd, head, sizeof(head), u->end);
	if (!err && data)
		err = xfs_fd_write(u->fd, data, (size_t)h->len, u->end + sizeof(head));
	if (err)
		return err;
	u->end += sizeof(head) + (data ? h->len : 0);
	u->records++;
	if (data)
		u->crc = xfs_crc32c(u->crc, data, (size_t)h->len);
	return 0;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (p[0] == 0 && !memcmp(p, p + 1, len - 1));
}

/* Records a range whose contents are in u->buf. */
static int record_contents(struct undo_dev *u, uint64_t off, uint64_t len)
{
	struct undo_head h = { .kind = UNDO_ZERO, .off = off, .len = len };

	if (is_zero(u->buf, (size_t)len))
		return record_append(u, &h, NULL);
	h.kind = UNDO_DATA;
	h.data_crc = ~xfs_crc32c(XFS_CRC32C_SEED, u->buf, (size_t)len);
	return record_append(u, &h, u->buf);
}

/* A range that failed to be read: sector by sector, as the good ones must come back. */
static int record_damaged(struct undo_dev *u, uint64_t off, uint64_t len)
{
	uint32_t sect = u->dev.sectsize;
	int err = 0;

	for (uint64_t at = off, n; at < off + len && !err; at += n) {
		struct undo_head h = { .kind = UNDO_UNREADABLE, .off = at };

		n = xfs_min(sect - at % sect, off + len - at);
		h.len = n;
		err = xfs_dev_read(u->below, at, u->buf, (size_t)n);
		if (err == -XFS_E_NOMEM)
			return err;
		err = err ? record_append(u, &h, NULL) : record_contents(u, at, n);
	}
	return err;
}

/* Records the before-images of a range that has none. */
static int range_record(struct undo_dev *u, uint64_t off, uint64_t len)
{
	int err = 0;

	for (uint64_t n; len && !err; off += n, len -= n) {
		n = xfs_min(len, XFS_UNDO_DATA_MAX);
		err = xfs_dev_read(u->below, off, u->buf, (size_t)n);
		if (err == -XFS_E_NOMEM)
			return err;
		err = err ? record_damaged(u, off, n) : record_contents(u, off, n);
	}
	return err;
}

/* A change of the overlay: noted, whole sectors, and recorded where it was not yet. */
static int change_record(void *payload, uint64_t off, uint64_t len)
{
	struct undo_dev *u = payload;
	uint64_t end = xfs_min(xfs_round_up(off + len, u->dev.sectsize), u->dev.size), at;
	struct xfs_extent gap;
	int err;

	off = xfs_round_down(off, u->dev.sectsize);
	err = xfs_extents_add(&u->changed, off, end - off);
	for (at = off; !err && xfs_extents_next_gap(&u->recorded, at, end, &gap); at = gap.start + gap.len)
		err = range_record(u, gap.start, gap.len);
	return err ? err : xfs_extents_add(&u->recorded, off, end - off);
}

/* --- releasing --- */

static int header_write(struct undo_dev *u)
{
	uint8_t header[XFS_UNDO_HEADER];

	xfs_undo_header_encode(header, &u->info);
	return xfs_fd_write(u->fd, header, sizeof(header), 0);
}

static int file_sync(struct undo_dev *u)
{
	while (fdatasync(u->fd))
		if (errno != EINTR)
			return xfs_error_from_errno(errno);
	return 0;
}

/* Copies a range of the overlay to the device; zeroes as such, so that sparse stays sparse. */
static int range_copy(struct undo_dev *u, uint64_t off, uint64_t len)
{
	uint64_t zero_from = off;	/* zeroes from here to off are still to be written */
	int err = 0;

	for (uint64_t n; len && !err; off += n, len -= n) {
		n = xfs_min(len, XFS_UNDO_DATA_MAX);
		err = xfs_dev_read(u->top, off, u->buf, (size_t)n);
		if (err)
			return err;
		if (n >= 65536 && is_zero(u->buf, (size_t)n))
			continue;
		if (zero_from < off)
			err = xfs_dev_zero(u->below, zero_from, off - zero_from);
		if (!err)
			err = xfs_dev_write(u->below, off, u->buf, (size_t)n);
		zero_from = off + n;
	}
	if (!err && zero_from < off)
		err = xfs_dev_zero(u->below, zero_from, off - zero_from);
	return err;
}

/* With the lock held for writing. */
static int release(struct undo_dev *u)
{
	int err;

	if (u->error)
		return u->error;
	u->changed.n = 0;
	err = xfs_dev_overlay_changes(u->top, change_record, u);
	if (!err && u->end > u->info.end) {
		/* still says what was durable before: the new records may be torn until the sync is done */
		err = header_write(u);
		if (!err)
			err = file_sync(u);
	}
	if (!err) {
		u->info.end = u->end;
		u->info.records = u->records;
	}
	for (size_t i = 0; i < u->changed.n && !err; i++)
		err = range_copy(u, u->changed.e[i].start, u->changed.e[i].len);
	if (!err)
		err = xfs_dev_overlay_reset(u->top);
	u->error = err;
	pthread_mutex_lock(&u->held_lock);
	u->held = 0;
	pthread_mutex_unlock(&u->held_lock);
	return err;
}

static int release_locked(struct undo_dev *u)
{
	int err;

	pthread_rwlock_wrlock(&u->lock);
	err = release(u);
	pthread_rwlock_unlock(&u->lock);
	return err;
}

/* --- the layer --- */

static int undo_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct undo_dev *u = (struct undo_dev *)dev;
	int err;

	pthread_rwlock_rdlock(&u->lock);
	err = xfs_dev_readv(u->top, v, n);
	pthread_rwlock_unlock(&u->lock);
	return err;
}

/* True when so much is held that it should be released. */
static bool held_add(struct undo_dev *u, uint64_t bytes)
{
	bool much;

	pthread_mutex_lock(&u->held_lock);
	u->held += bytes;
	much = u->held > HELD_MAX;
	pthread_mutex_unlock(&u->held_lock);
	return much;
}

static int undo_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct undo_dev *u = (struct undo_dev *)dev;
	uint64_t bytes = 0;
	int err;

	pthread_rwlock_rdlock(&u->lock);
	err = u->error;
	for (size_t i = 0; i < n; i++) {
		bytes += v[i].len;
		v[i].error = err;
	}
	if (!err)
		err = xfs_dev_writev(u->top, v, n);
	pthread_rwlock_unlock(&u->lock);
	/* an error of this release is told by the next write or barrier: these vectors are held, not lost */
	if (!err && held_add(u, bytes))
		(void)release_locked(u);
	return err;
}

static int undo_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct undo_dev *u = (struct undo_dev *)dev;
	int err;

	pthread_rwlock_rdlock(&u->lock);
	err = u->error ? u->error : xfs_dev_zero(u->top, off, len);
	pthread_rwlock_unlock(&u->lock);
	return err;
}

static int undo_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	(void)dev;
	(void)off;
	(void)len;
	return 0;
}

static int undo_barrier(struct xfs_dev *dev)
{
	struct undo_dev *u = (struct undo_dev *)dev;
	int err = release_locked(u);

	return err ? err : xfs_dev_barrier(u->below);
}

/* All is on the device: says so in the header, with what it holds now in place of what was recorded. */
static int finish(struct undo_dev *u)
{
	uint32_t after = XFS_CRC32C_SEED;
	int err = 0;

	for (size_t i = 0; i < u->recorded.n && !err; i++)
		err = xfs_undo_crc_range(u->below, u->recorded.e[i].start, u->recorded.e[i].len, &after);
	if (err)
		return err;
	u->info.state = XFS_UNDO_CLOSED;
	u->info.crc_before = ~u->crc;
	u->info.crc_after = ~after;
	err = header_write(u);
	return err ? err : file_sync(u);
}

static void undo_free(struct undo_dev *u)
{
	if (u->fd >= 0)
		close(u->fd);
	xfs_extents_free(&u->recorded);
	xfs_extents_free(&u->changed);
	pthread_rwlock_destroy(&u->lock);
	pthread_mutex_destroy(&u->held_lock);
	free(u->buf);
	free(u);
}

static uint64_t undo_next_data(struct xfs_dev *dev, uint64_t off)
{
	return xfs_dev_next_data(((struct undo_dev *)dev)->top, off);
}

static void undo_close(struct xfs_dev *dev)
{
	struct undo_dev *u = (struct undo_dev *)dev;

	/* a failure leaves the file open, which is what it then is: it still takes everything back */
	if (!undo_barrier(dev))
		(void)finish(u);
	xfs_dev_close(u->top);
	undo_free(u);
}

static const struct xfs_dev_ops undo_ops = {
	.read = undo_read, .write = undo_write, .barrier = undo_barrier, .zero = undo_zero,
	.discard = undo_discard, .close = undo_close, .next_data = undo_next_data,
};

/* The name of a new file is durable when its folder is. */
static int folder_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd, err = 0;

	if (!dir)
		return -XFS_E_NOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return xfs_error_from_errno(errno);
	if (fsync(fd) && errno != EINVAL)	/* not every filesystem knows what to do */
		err = xfs_error_from_errno(errno);
	close(fd);
	return err;
}

static int file_create(struct undo_dev *u, const char *path)
{
	int err;

	u->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (u->fd < 0)
		return errno == EEXIST ? -XFS_E_EXISTS : -XFS_E_OPEN;
	err = header_write(u);
	if (!err)
		err = file_sync(u);
	if (!err)
		err = folder_sync(path);
	if (err)
		unlink(path);
	return err;
}

int xfs_dev_undo(struct xfs_dev **out, struct xfs_dev *below, const char *undo_path, const uint8_t uuid[16])
{
	struct undo_dev *u = calloc(1, sizeof(*u));
	int err = -XFS_E_NOMEM;

	if (!u)
		return err;
	pthread_rwlock_init(&u->lock, NULL);
	pthread_mutex_init(&u->held_lock, NULL);
	u->fd = -1;
	u->below = below;
	u->dev = *below;
	u->dev.ops = &undo_ops;
	u->crc = XFS_CRC32C_SEED;
	u->end = XFS_UNDO_HEADER;
	u->info = (struct xfs_dev_undo_info){ .state = XFS_UNDO_OPEN, .device_size = below->size, .end = u->end };
	memcpy(u->info.uuid, uuid, 16);
	u->buf = malloc(XFS_UNDO_DATA_MAX);
	if (u->buf)
		err = below->readonly ? -XFS_E_READONLY : file_create(u, undo_path);
	if (!err) {
		err = xfs_dev_overlay(&u->top, below, 0, MEMORY, NULL);
		if (err)
			unlink(undo_path);
	}
	if (err) {
		undo_free(u);
		return err;
	}
	*out = &u->dev;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* undo_apply.c - reading, verifying and taking back what an undo file recorded. */
#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/base/extents.h"
#include "libxfs/base/fdio.h"
#include "libxfs/device/undo_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- format: offsets in the header and in the head of a record --- */

enum { H_MAGIC = 0, H_VERSION = 8, H_STATE = 12, H_UUID = 16, H_SIZE = 32, H_RECORDS = 40, H_END = 48, H_BEFORE = 56,
       H_AFTER = 60, H_CRC = 508 };
enum { R_MAGIC = 0, R_KIND = 4, R_OFF = 8, R_LEN = 16, R_DATA_CRC = 24, R_PAD = 28, R_CRC = 36 };

void xfs_undo_header_encode(uint8_t out[XFS_UNDO_HEADER], const struct xfs_dev_undo_info *info)
{
	memset(out, 0, XFS_UNDO_HEADER);
	xfs_put_be64(out + H_MAGIC, XFS_UNDO_MAGIC);
	xfs_put_be32(out + H_VERSION, XFS_UNDO_VERSION);
	xfs_put_be32(out + H_STATE, info->state);
	memcpy(out + H_UUID, info->uuid, 16);
	xfs_put_be64(out + H_SIZE, info->device_size);
	xfs_put_be64(out + H_RECORDS, info->records);
	xfs_put_be64(out + H_END, info->end);
	xfs_put_be32(out + H_BEFORE, info->crc_before);
	xfs_put_be32(out + H_AFTER, info->crc_after);
	xfs_crc32c_store(out, XFS_UNDO_HEADER, H_CRC);
}

int xfs_undo_header_decode(struct xfs_dev_undo_info *info, const uint8_t in[XFS_UNDO_HEADER])
{
	uint32_t state = xfs_be32(in + H_STATE);

	if (xfs_be64(in + H_MAGIC) != XFS_UNDO_MAGIC)
		return -XFS_E_BADMAGIC;
	if (!xfs_crc32c_check(in, XFS_UNDO_HEADER, H_CRC))
		return -XFS_E_BADCRC;
	if (xfs_be32(in + H_VERSION) != XFS_UNDO_VERSION)
		return -XFS_E_UNSUPPORTED;
	if (state < XFS_UNDO_OPEN || state > XFS_UNDO_APPLIED)
		return -XFS_E_CORRUPT;
	info->state = (enum xfs_undo_state)state;
	memcpy(info->uuid, in + H_UUID, 16);
	info->device_size = xfs_be64(in + H_SIZE);
	info->records = xfs_be64(in + H_RECORDS);
	info->end = xfs_be64(in + H_END);
	info->crc_before = xfs_be32(in + H_BEFORE);
	info->crc_after = xfs_be32(in + H_AFTER);
	return info->end < XFS_UNDO_HEADER || info->end > INT64_MAX ? -XFS_E_CORRUPT : 0;
}

void xfs_undo_head_encode(uint8_t out[XFS_UNDO_HEAD], const struct undo_head *h)
{
	xfs_put_be32(out + R_MAGIC, XFS_UNDO_RECORD_MAGIC);
	xfs_put_be32(out + R_KIND, h->kind);
	xfs_put_be64(out + R_OFF, h->off);
	xfs_put_be64(out + R_LEN, h->len);
	xfs_put_be32(out + R_DATA_CRC, h->data_crc);
	xfs_put_be64(out + R_PAD, 0);
	xfs_crc32c_store(out, XFS_UNDO_HEAD, R_CRC);
}

int xfs_undo_head_decode(struct undo_head *h, const uint8_t in[XFS_UNDO_HEAD])
{
	if (xfs_be32(in + R_MAGIC) != XFS_UNDO_RECORD_MAGIC)
		return -XFS_E_BADMAGIC;
	if (!xfs_crc32c_check(in, XFS_UNDO_HEAD, R_CRC))
		return -XFS_E_BADCRC;
	h->kind = xfs_be32(in + R_KIND);
	h->off = xfs_be64(in + R_OFF);
	h->len = xfs_be64(in + R_LEN);
	h->data_crc = xfs_be32(in + R_DATA_CRC);
	if (h->kind < UNDO_DATA || h->kind > UNDO_UNREADABLE || !h->len || h->len > XFS_UNDO_DATA_MAX)
		return -XFS_E_CORRUPT;
	return 0;
}

int xfs_undo_crc_range(struct xfs_dev *dev, uint64_t off, uint64_t len, uint32_t *crc)
{
	uint8_t *buf = malloc(XFS_UNDO_DATA_MAX);

	if (!buf)
		return -XFS_E_NOMEM;
	for (uint64_t n; len; off += n, len -= n) {
		n = xfs_min(len, XFS_UNDO_DATA_MAX);
		(void)xfs_dev_read(dev, off, buf, (size_t)n);
		*crc = xfs_crc32c(*crc, buf, (size_t)n);
	}
	free(buf);
	return 0;
}

/* --- reading --- */

struct undo_file {
	int fd;
	uint64_t size;			/* of the file */
	struct xfs_dev_undo_info info;
	uint8_t *buf;			/* XFS_UNDO_DATA_MAX: data of the last record read */
	struct xfs_extents ranges;	/* of all records */
	uint64_t records, end;		/* sound ones */
	uint32_t crc;			/* over their data */
};

static int file_open(struct undo_file *f, const char *path, int mode)
{
	uint8_t header[XFS_UNDO_HEADER];
	struct stat st;
	int err;

	f->fd = open(path, mode | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0 || fstat(f->fd, &st) || !S_ISREG(st.st_mode))
		return -XFS_E_OPEN;
	f->size = (uint64_t)st.st_size;
	err = xfs_fd_read(f->fd, header, sizeof(header), 0);
	return err ? err : xfs_undo_header_decode(&f->info, header);
}

static void file_close(struct undo_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	xfs_extents_free(&f->ranges);
	free(f->buf);
}

int xfs_dev_undo_info(const char *undo_path, struct xfs_dev_undo_info *info)
{
	struct undo_file f = { .fd = -1 };
	int err = file_open(&f, undo_path, O_RDONLY);

	if (!err)
		*info = f.info;
	file_close(&f);
	return err;
}

/* Reads and verifies the record at pos, with its data in f->buf; *next is behind it. */
static int record_read(struct undo_file *f, uint64_t pos, struct undo_head *h, uint64_t *next)
{
	uint8_t head[XFS_UNDO_HEAD];
	int err;

	if (f->size - pos < sizeof(head))
		return -XFS_E_SHORT;
	err = xfs_fd_read(f->fd, head, sizeof(head), pos);
	if (!err)
		err = xfs_undo_head_decode(h, head);
	if (err)
		return err;
	*next = pos + sizeof(head);
	if (h->kind != UNDO_DATA)
		return 0;
	if (f->size - *next < h->len)
		return -XFS_E_SHORT;
	err = xfs_fd_read(f->fd, f->buf, (size_t)h->len, *next);
	if (!err && ~xfs_crc32c(XFS_CRC32C_SEED, f->buf, (size_t)h->len) != h->data_crc)
		err = -XFS_E_BADCRC;
	*next += h->len;
	return err;
}

/* Verifies all records. A torn end is taken for the end where a crash may have left one, and for damage elsewhere. */
static int records_verify(struct undo_file *f)
{
	struct undo_head h;
	uint64_t next;
	int err = 0;

	f->end = XFS_UNDO_HEADER;
	f->crc = XFS_CRC32C_SEED;
	while (f->end < f->size) {
		err = record_read(f, f->end, &h, &next);
		if (err)
			break;
		if (h.off > f->info.device_size || h.len > f->info.device_size - h.off)
			return -XFS_E_CORRUPT;
		err = xfs_extents_insert(&f->ranges, h.off, h.len);
		if (err)
			return err == -XFS_E_OVERLAP ? -XFS_E_CORRUPT : err;
		if (h.kind == UNDO_DATA)
			f->crc = xfs_crc32c(f->crc, f->buf, (size_t)h.len);
		f->end = next;
		f->records++;
	}
	if (err == -XFS_E_IO || err == -XFS_E_NOMEM)
		return err;
	if (f->end < f->info.end || f->records < f->info.records)
		return err ? err : -XFS_E_SHORT;
	return 0;
}

/* A file that was closed says exactly what it holds, and what the device should hold. */
static int closed_verify(const struct undo_file *f, struct xfs_dev *target)
{
	uint32_t after = XFS_CRC32C_SEED;
	int err = 0;

	if (f->end != f->info.end || f->records != f->info.records)
		return -XFS_E_CORRUPT;
	if (~f->crc != f->info.crc_before)
		return -XFS_E_BADCRC;
	for (size_t i = 0; i < f->ranges.n && !err; i++)
		err = xfs_undo_crc_range(target, f->ranges.e[i].start, f->ranges.e[i].len, &after);
	return err ? err : ~after != f->info.crc_after ? -XFS_E_INVALID : 0;
}

static int state_set(struct undo_file *f, enum xfs_undo_state state)
{
	uint8_t header[XFS_UNDO_HEADER];
	int err;

	f->info.state = state;
	f->info.end = f->end;
	f->info.records = f->records;
	xfs_undo_header_encode(header, &f->info);
	err = xfs_fd_write(f->fd, header, sizeof(header), 0);
	if (!err && fdatasync(f->fd))
		err = xfs_error_from_errno(errno);
	return err;
}

static int records_apply(struct undo_file *f, struct xfs_dev *target)
{
	struct undo_head h;
	uint64_t next;
	int err = 0;

	for (uint64_t pos = XFS_UNDO_HEADER; pos < f->end && !err; pos = next) {
		err = record_read(f, pos, &h, &next);
		if (!err && h.kind == UNDO_DATA)
			err = xfs_dev_write(target, h.off, f->buf, (size_t)h.len);
		else if (!err && h.kind == UNDO_ZERO)
			err = xfs_dev_zero(target, h.off, h.len);
	}
	return err ? err : xfs_dev_barrier(target);
}

int xfs_dev_undo_apply(struct xfs_dev *target, const char *undo_path)
{
	struct undo_file f = { .fd = -1 };
	int err = file_open(&f, undo_path, O_RDWR);

	if (err)
		goto out;
	err = -XFS_E_INVALID;
	if (f.info.device_size != target->size || f.info.state == XFS_UNDO_APPLIED)
		goto out;
	err = -XFS_E_NOMEM;
	f.buf = malloc(XFS_UNDO_DATA_MAX);
	if (!f.buf)
		goto out;
	err = records_verify(&f);
	if (!err && f.info.state == XFS_UNDO_CLOSED)
		err = closed_verify(&f, target);
	if (!err)
		err = state_set(&f, XFS_UNDO_APPLYING);
	if (!err)
		err = records_apply(&f, target);
	if (!err)
		err = state_set(&f, XFS_UNDO_APPLIED);
out:
	file_close(&f);
	return err;
}

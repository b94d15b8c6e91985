/* SPDX-License-Identifier: BSD-2-Clause */
/* logimage.c - logs that tests write into an image of Linux or on a device of their own, and what is read of them. */
#include "tests/unit/logimage.h"

#include "libxfs/log/area.h"
#include "libxfs/log/state.h"
#include "libxfs/ondisk/attr.h"
#include "tests/unit/testfs.h"

#include <check.h>
#include <string.h>

void logimage_find(struct logwriter *w, struct memdev *dev, uint8_t *uuid)
{
	const struct xfs_devset set = { .data = &dev->dev };
	struct xfs_log_state st;
	struct xfs_log_area a;
	struct xfs_fs *fs;

	ck_assert_int_eq(xfs_fs_open(&fs, &set, NULL, NULL), 0);
	ck_assert_ptr_null(xfs_log_area_find(&a, fs));
	ck_assert_int_eq(xfs_log_state(fs, &st), 0);
	ck_assert_int_eq(st.kind, XFS_LOG_CLEAN);
	memcpy(uuid, fs->geo.sb.uuid, 16);
	xfs_fs_close(fs);
	*w = (struct logwriter){ .area = dev->bytes + a.start, .blocks = a.blocks, .uuid = uuid, .le = true,
				 .size = 32768, .unit = 512, .at = st.head, .cycle = st.cycle };
}

uint64_t logimage_symlink(const struct memdev *dev)
{
	for (uint64_t at = 0; at < dev->dev.size; at += 1024)
		if (xfs_be32(dev->bytes + at) == XFS_SYMLINK_MAGIC &&
		    xfs_be64(dev->bytes + at + XFS_OFF(symlink_hdr, bno)) == at / 512)
			return at;
	ck_abort_msg("no symlink in blocks");
}

struct memdev *logimage_bare(struct xfs_fs *fs, struct logwriter *w, uint32_t blocks, bool v4)
{
	struct testfs how = { .agblocks = 5000, .agcount = 2, .v4 = v4, .logblocks = blocks / 8 };
	struct memdev *dev = memdev_new((uint64_t)blocks * 512);

	memset(fs, 0, sizeof(*fs));
	testfs_init(&fs->geo, &how);
	fs->geo.sb.logstart = 0;
	fs->dev.log = &dev->dev;
	*w = (struct logwriter){ .area = dev->bytes, .blocks = blocks, .uuid = fs->geo.sb.uuid, .le = true,
				 .size = 32768, .unit = 512, .at = 2, .cycle = 1 };
	return dev;
}

struct logimage_seen logimage_read(struct xfs_fs *fs,
				   void (*see)(void *payload, unsigned number, const struct xfs_log_trans *),
				   void *payload)
{
	struct logimage_seen seen = { 0 };
	struct xfs_log_state st;
	struct xfs_log_event e;
	struct xfs_log_iter *it;

	ck_assert_int_eq(xfs_log_state(fs, &st), 0);
	seen.err = xfs_log_iter_new(&it, fs, &st, false, &seen.why);
	while (!seen.err) {
		seen.err = xfs_log_iter_next(it, &e, &seen.why);
		if (seen.err)
			break;
		switch (e.kind) {
		case XFS_LOG_EV_RECORD: seen.records++; break;
		case XFS_LOG_EV_OPEN: seen.open++; break;
		case XFS_LOG_EV_UNMOUNT: seen.unmounts++; break;
		case XFS_LOG_EV_TRANS:
			if (see)
				see(payload, seen.trans, e.trans);
			seen.trans++;
		}
	}
	xfs_log_iter_free(it);
	return seen;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* logimage.c - logs that tests write into an image of Linux. */
#include "tests/unit/logimage.h"

#include "libxfs/log/area.h"
#include "libxfs/log/state.h"
#include "libxfs/ondisk/attr.h"

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

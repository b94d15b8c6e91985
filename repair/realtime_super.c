/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_super.c - the superblock of the realtime device, a copy of label and uuids (format sheet 10, section 3.2).
 *
 * It is written in place, from the primary; whoever wrote it last had no more to say.
 */
#include "repair/realtime.h"
#include "repair/write.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/realtime.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct field {
	const char *name;
	unsigned at, len;
	bool number;
} fields[] = {
	{ "magicnum", XFS_OFF(rtsb, magicnum), 4, true }, { "pad", XFS_OFF(rtsb, pad), 4, true },
	{ "fname", XFS_OFF(rtsb, fname), 12, false }, { "uuid", XFS_OFF(rtsb, uuid), 16, false },
	{ "meta_uuid", XFS_OFF(rtsb, meta_uuid), 16, false },
};

/* Bytes that a terminal could take for something else are shown as numbers. */
static void show(const uint8_t *p, unsigned len, bool text, char *out, size_t room)
{
	size_t at = 0;

	while (text && len && !p[len - 1])
		len--;
	out[0] = '\0';
	for (unsigned i = 0; i < len && at + 5 < room; i++) {
		if (text && p[i] >= 32 && p[i] <= 126 && p[i] != '\\')
			out[at++] = (char)p[i];
		else
			at += (size_t)snprintf(out + at, room - at, text ? "\\%03o" : "%02x", p[i]);
	}
	out[at] = '\0';
}

static void note(struct repair *r, const uint8_t *have, const uint8_t *want, size_t bs, bool unread, bool fixed)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_RT_SUPER, "realtime superblock");
	uint32_t stored = xfs_le32(have + XFS_OFF(rtsb, crc)), right = xfs_crc32c_block(have, bs, XFS_OFF(rtsb, crc));
	const struct field *d = fields;
	char a[64], b[64];

	while (d < fields + XFS_ARRAY_SIZE(fields) && !memcmp(have + d->at, want + d->at, d->len))
		d++;
	if (unread) {
		xfs_finding_detail(&f, "block 0 of the realtime device can't be read");
	} else if (d == fields + XFS_ARRAY_SIZE(fields) && stored != right) {
		f.field = "crc";
		f.found = stored;
		f.expected = right;
		xfs_finding_detail(&f, "block 0 of the realtime device");
	} else if (d == fields + XFS_ARRAY_SIZE(fields)) {
		xfs_finding_detail(&f, "block 0 of the realtime device is not zero behind byte %zu",
				   sizeof(struct xfs_rtsb_disk));
	} else if (d->number) {
		f.field = d->name;
		f.found = xfs_be32(have + d->at);
		f.expected = xfs_be32(want + d->at);
		xfs_finding_detail(&f, "block 0 of the realtime device");
	} else {
		f.field = d->name;
		show(have + d->at, d->len, d->len == 12, a, sizeof(a));
		show(want + d->at, d->len, d->len == 12, b, sizeof(b));
		xfs_finding_detail(&f, "block 0 of the realtime device has %s \"%s\", the primary \"%s\"",
				   d->name, a, b);
	}
	repair_note(r, &f, fixed);
}

static int write_block(struct repair *r, const uint8_t *want, size_t bs)
{
	int error = repair_begin_writing(r);

	if (!error)
		error = xfs_dev_write(r->dev.rt, 0, want, bs);
	r->fixed_something = true;
	return error ? error : xfs_dev_barrier(r->dev.rt);
}

int repair_rt_super(struct repair *r)
{
	const struct xfs_sb *sb = &r->primary;
	size_t bs = r->geo.blocksize;
	uint8_t *want = r->dev.rt ? calloc(2, bs) : NULL, *have = want + (want ? bs : 0);
	int error;

	if (!want)
		return r->dev.rt ? -XFS_E_NOMEM : 0;
	xfs_put_be32(want + XFS_OFF(rtsb, magicnum), XFS_RTSB_MAGIC);
	memcpy(want + XFS_OFF(rtsb, fname), sb->fname, sizeof(sb->fname));
	memcpy(want + XFS_OFF(rtsb, uuid), sb->uuid, 16);
	memcpy(want + XFS_OFF(rtsb, meta_uuid), r->geo.uuid, 16);
	xfs_crc32c_store(want, bs, XFS_OFF(rtsb, crc));
	error = xfs_dev_read(r->dev.rt, 0, have, bs);
	if (error == -XFS_E_NOMEM || (!error && !memcmp(have, want, bs)))
		goto out;
	note(r, have, want, bs, error != 0, true);
	error = 0;
	if (r->looking)
		goto out;
	repair_say(r, "%s rewrite realtime superblock", r->no_modify ? "would" : "will");
	if (!repair_is_held(r, XFS_F_RT_SUPER) && !r->holds.all)
		error = write_block(r, want, bs);
out:
	free(want);
	return error;
}

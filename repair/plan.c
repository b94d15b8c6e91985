/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.c - --plan: the findings of a repair and every write that it would do, as JSON.
 *
 * The repair has taken place on an overlay; what differs from below it is what would be written.  Each write names the
 * structure that it belongs to (by what lies there afterwards) and the CRC32C of the bytes before and after.
 */
#include "repair/words.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plan {
	const struct repair *r;
	struct xfs_dev *top, *below;
	const char *device;
	struct xfs_json j;
	uint8_t *before, *after;	/* PIECE bytes each */
	uint64_t writes, bytes;
};

#define PIECE 65536u

static int to_file(void *payload, const void *bytes, size_t len)
{
	return fwrite(bytes, 1, len, payload) == len ? 0 : -XFS_E_IO;
}

static void one_write(struct plan *p, const char *structure, uint64_t off, uint64_t len, uint32_t before,
		      uint32_t after)
{
	uint32_t agno, agbno;

	xfs_json_object(&p->j, NULL);
	xfs_json_string(&p->j, "device", p->device);
	xfs_json_u64(&p->j, "offset", off);
	xfs_json_u64(&p->j, "length", len);
	xfs_json_string(&p->j, "structure", structure);
	if (!strcmp(p->device, "data") && repair_place_of(p->r, off, &agno, &agbno)) {
		xfs_json_u64(&p->j, "agno", agno);
		xfs_json_u64(&p->j, "agbno", agbno);
	}
	xfs_json_hex64(&p->j, "crc_before", before);
	xfs_json_hex64(&p->j, "crc_after", after);
	xfs_json_object_end(&p->j);
	p->writes++;
	p->bytes += len;
}

/* One structure's part of a change, read in pieces. Unreadable bytes count as zeroes, as they do for --undo. */
static void one_part(struct plan *p, const char *structure, uint64_t off, uint64_t len)
{
	uint32_t before = XFS_CRC32C_SEED, after = XFS_CRC32C_SEED;

	for (uint64_t at = 0; at < len; ) {
		size_t n = (size_t)xfs_min(len - at, PIECE);

		xfs_dev_read(p->below, off + at, p->before, n);
		xfs_dev_read(p->top, off + at, p->after, n);
		before = xfs_crc32c(before, p->before, n);
		after = xfs_crc32c(after, p->after, n);
		at += n;
	}
	one_write(p, structure, off, len, ~before, ~after);
}

static int change(void *payload, uint64_t off, uint64_t len)
{
	struct plan *p = payload;
	bool data = !strcmp(p->device, "data"), realtime = !strcmp(p->device, "realtime");

	while (len && !p->j.error) {
		uint64_t end = off + len, n;
		const char *name = realtime ? "realtime superblock" : "log";

		if (data) {
			uint64_t block = off & ~(uint64_t)(p->r->geo.blocksize - 1);

			xfs_dev_read(p->top, block, p->after, p->r->geo.blocksize);
			name = repair_structure_at(p->r, off, p->after, &end);
		}
		n = xfs_min(end - off, len);
		one_part(p, name, off, n);
		off += n;
		len -= n;
	}
	return p->j.error;
}

/* NULL: there is no such device. */
static int writes_of(struct plan *p, const char *device, struct xfs_dev *top, struct xfs_dev *below)
{
	p->top = top;
	p->below = below;
	p->device = device;
	return below ? xfs_dev_overlay_changes(top, change, p) : 0;
}

static int write_all(struct plan *p, const struct repair_text *t, const struct xfs_devset *below, int error, int status)
{
	int err = 0;

	xfs_json_object(&p->j, NULL);
	xfs_json_string(&p->j, "device", p->r->name);
	xfs_json_array(&p->j, "findings");
	for (size_t i = 0; i < t->nrecords; i++)
		repair_json_finding(&p->j, NULL, &t->records[i], t->first + i);
	xfs_json_array_end(&p->j);
	xfs_json_array(&p->j, "writes");
	/* a repair that ended early would not be one */
	if (!error && p->r->geo.blocksize) {
		err = writes_of(p, "data", p->r->dev.data, below->data);
		if (!err)
			err = writes_of(p, "log", p->r->dev.log, below->log);
		if (!err)
			err = writes_of(p, "realtime", p->r->dev.rt, below->rt);
	}
	xfs_json_array_end(&p->j);
	xfs_json_u64(&p->j, "writes_total", p->writes);
	xfs_json_u64(&p->j, "bytes_total", p->bytes);
	if (t->streaming)
		xfs_json_bool(&p->j, "findings_incomplete", true);
	repair_json_summary(&p->j, "summary", t, error, status);
	xfs_json_object_end(&p->j);
	return err ? err : xfs_json_finish(&p->j);
}

int repair_write_plan(const struct repair_text *t, const struct xfs_devset *below, int error, int status)
{
	const char *path = t->o->plan;
	bool standard = !strcmp(path, "-");
	struct plan p = { .r = t->r, .before = malloc(PIECE), .after = malloc(PIECE) };
	FILE *file = standard ? stdout : fopen(path, "we");
	int err = !file ? -XFS_E_OPEN : p.before && p.after ? 0 : -XFS_E_NOMEM;

	if (!err) {
		xfs_json_start(&p.j, to_file, file, true);
		err = write_all(&p, t, below, error, status);
	}
	if (file && (standard ? fflush(file) : fclose(file)) && !err)
		err = -XFS_E_IO;
	if (err)
		fprintf(stderr, "xfs_repair: %s: %s\n", path,
			err == -XFS_E_OPEN || err == -XFS_E_IO ? strerror(errno) : xfs_error_text(err));
	free(p.before);
	free(p.after);
	return err ? 1 : 0;
}

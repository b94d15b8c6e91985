/* SPDX-License-Identifier: BSD-2-Clause */
/* fsmap_sums.c - fsmap as JSON lines, and its sums by kind of owner. */
#include "io/fsmap.h"
#include "libxfs/base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

static int to_stdout(void *payload, const void *bytes, size_t len)
{
	(void)payload;
	return fwrite(bytes, 1, len, stdout) == len ? 0 : -1;
}

/* What kind of owner a record has; text is room for one that has no name. */
static const char *kind_name(const struct fsmap *r, char text[IO_TEXT_SIZE])
{
	bool attr = r->fmr_flags & FMR_OF_ATTR_FORK;
	if (r->fmr_flags & FMR_OF_SPECIAL_OWNER)
		return fsmap_special_text(r->fmr_owner, text);
	if (r->fmr_flags & FMR_OF_EXTENT_MAP)
		return attr ? "attr extent maps" : "data extent maps";
	return attr ? "file attributes" : "file data";
}

static void put_device(struct xfs_json *j, uint32_t device)
{
	char text[IO_TEXT_SIZE];
	snprintf(text, sizeof(text), "%u:%u", major(device), minor(device));
	xfs_json_string(j, "device", text);
}

/* --- JSON lines --- */

struct json_printer {
	struct fsmap_printer base;
	struct xfs_json json;
};

static void json_batch(struct fsmap_printer *p, const struct fsmap *r, uint32_t n, bool is_first)
{
	(void)r;
	(void)n;
	if (is_first)
		xfs_json_start(&((struct json_printer *)p)->json, to_stdout, NULL, false);
}

static void json_row(struct fsmap_printer *p, const struct fsmap *r, uint64_t index)
{
	struct xfs_json *j = &((struct json_printer *)p)->json;
	char text[IO_TEXT_SIZE];
	xfs_json_object(j, NULL);
	xfs_json_u64(j, "ext", index);
	put_device(j, r->fmr_device);
	xfs_json_u64(j, "physical", r->fmr_physical);
	xfs_json_u64(j, "length", r->fmr_length);
	xfs_json_string(j, "owner", kind_name(r, text));
	if (!(r->fmr_flags & FMR_OF_SPECIAL_OWNER)) {
		xfs_json_u64(j, "inode", r->fmr_owner);
		if (!(r->fmr_flags & FMR_OF_EXTENT_MAP))
			xfs_json_u64(j, "offset", r->fmr_offset);
		xfs_json_bool(j, "unwritten", r->fmr_flags & FMR_OF_PREALLOC);
		xfs_json_bool(j, "shared", r->fmr_flags & FMR_OF_SHARED);
	}
	xfs_json_object_end(j);
}

static void json_last(struct fsmap_printer *p)
{
	xfs_json_finish(&((struct json_printer *)p)->json);
}

struct fsmap_printer *fsmap_json_new(void)
{
	struct json_printer *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->base.batch = json_batch;
	p->base.row = json_row;
	p->base.end = json_last;
	return &p->base;
}

/* --- sums --- */

/* There are few kinds; whatever comes when the table is full goes to its last row. */
#define MAX_SUMS 64

struct sum {
	struct fsmap like;		/* a record of that kind */
	uint64_t extents, bytes, largest;
};

struct sums_printer {
	struct fsmap_printer base;
	bool json;
	size_t n, last;
	struct sum sums[MAX_SUMS];
};

static bool is_same_kind(const struct fsmap *a, const struct fsmap *b)
{
	const uint32_t kind = FMR_OF_SPECIAL_OWNER | FMR_OF_ATTR_FORK | FMR_OF_EXTENT_MAP;
	if (a->fmr_device != b->fmr_device || (a->fmr_flags & kind) != (b->fmr_flags & kind))
		return false;
	return !(a->fmr_flags & FMR_OF_SPECIAL_OWNER) || a->fmr_owner == b->fmr_owner;
}

static void sums_row(struct fsmap_printer *p, const struct fsmap *r, uint64_t index)
{
	struct sums_printer *s = (struct sums_printer *)p;
	(void)index;
	if (s->n == 0 || !is_same_kind(&s->sums[s->last].like, r)) {
		for (s->last = 0; s->last < s->n && !is_same_kind(&s->sums[s->last].like, r); s->last++)
			;
		if (s->last == s->n && s->n < MAX_SUMS)
			s->sums[s->n++].like = *r;
		else if (s->last == s->n)
			s->last = s->n - 1;
	}
	struct sum *sum = &s->sums[s->last];
	sum->extents++;
	sum->bytes += r->fmr_length;
	if (sum->largest < r->fmr_length)
		sum->largest = r->fmr_length;
}

/* Biggest first. */
static int by_bytes(const void *a, const void *b)
{
	uint64_t x = ((const struct sum *)a)->bytes, y = ((const struct sum *)b)->bytes;
	return x < y ? 1 : x > y ? -1 : 0;
}

static void print_sums(const struct sums_printer *s)
{
	char text[IO_TEXT_SIZE], dev[IO_TEXT_SIZE];
	printf("%-8s %-20s %12s %16s %16s\n", "DEV", "OWNER", "EXTENTS", "BLOCKS", "LARGEST");
	for (size_t i = 0; i < s->n; i++) {
		const struct sum *sum = &s->sums[i];
		snprintf(dev, sizeof(dev), "%u:%u", major(sum->like.fmr_device), minor(sum->like.fmr_device));
		printf("%-8s %-20s %12" PRIu64 " %16" PRIu64 " %16" PRIu64 "\n", dev, kind_name(&sum->like, text),
		       sum->extents, sum->bytes >> 9, sum->largest >> 9);
	}
}

static void print_json_sums(const struct sums_printer *s)
{
	struct xfs_json j;
	char text[IO_TEXT_SIZE];
	xfs_json_start(&j, to_stdout, NULL, false);
	for (size_t i = 0; i < s->n; i++) {
		const struct sum *sum = &s->sums[i];
		xfs_json_object(&j, NULL);
		put_device(&j, sum->like.fmr_device);
		xfs_json_string(&j, "owner", kind_name(&sum->like, text));
		xfs_json_u64(&j, "extents", sum->extents);
		xfs_json_u64(&j, "bytes", sum->bytes);
		xfs_json_u64(&j, "largest", sum->largest);
		xfs_json_object_end(&j);
	}
	xfs_json_finish(&j);
}

static void sums_last(struct fsmap_printer *p)
{
	struct sums_printer *s = (struct sums_printer *)p;
	qsort(s->sums, s->n, sizeof(s->sums[0]), by_bytes);
	if (s->json)
		print_json_sums(s);
	else
		print_sums(s);
}

static void no_batch(struct fsmap_printer *p, const struct fsmap *r, uint32_t n, bool is_first)
{
	(void)p;
	(void)r;
	(void)n;
	(void)is_first;
}

struct fsmap_printer *fsmap_sums_new(bool json)
{
	struct sums_printer *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->base.batch = no_batch;
	p->base.row = sums_row;
	p->base.end = sums_last;
	p->json = json;
	return &p->base;
}

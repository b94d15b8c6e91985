/* SPDX-License-Identifier: BSD-2-Clause */
/* overlay_store.c - table of changed blocks and where their contents are kept. */
#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"
#include "libxfs/base/fdio.h"
#include "libxfs/base/grow.h"
#include "libxfs/device/overlay_priv.h"

#include <stdlib.h>
#include <unistd.h>

#define CHUNK_SLOTS 256u	/* 1 MiB */

/* --- table --- */

/* Index of the entry of a block, or of the free one where it belongs. The table has a free entry. */
static size_t place_of(const struct overlay_table *t, uint64_t block)
{
	uint64_t key = block + 1;
	size_t i = (size_t)xfs_mix(&t->mix, key) & t->mask;

	while (t->entries[i].key && t->entries[i].key != key)
		i = (i + 1) & t->mask;
	return i;
}

struct overlay_entry *xfs_overlay_table_get(const struct overlay_table *t, uint64_t block)
{
	struct overlay_entry *e;

	if (!t->used)
		return NULL;
	e = &t->entries[place_of(t, block)];
	return e->key ? e : NULL;
}

void xfs_overlay_table_set(struct overlay_table *t, uint64_t block, uint32_t slot, uint32_t bad)
{
	struct overlay_entry *e = &t->entries[place_of(t, block)];

	t->used += !e->key;
	*e = (struct overlay_entry){ block + 1, slot, bad };
}

int xfs_overlay_table_reserve(struct overlay_table *t, size_t n)
{
	size_t room = t->entries ? t->mask + 1 : 0;
	struct overlay_table bigger = { .mix = t->mix };

	/* at most two thirds full */
	if (room && (t->used + n) / 2 <= room / 3)
		return 0;
	room = room ? room : 1024;
	while ((t->used + n) / 2 > room / 3) {
		if (room > SIZE_MAX / 2 / sizeof(*bigger.entries))
			return -XFS_E_NOMEM;
		room *= 2;
	}
	bigger.entries = calloc(room, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -XFS_E_NOMEM;
	xfs_mix_init(&bigger.mix);
	bigger.mask = room - 1;
	bigger.used = t->used;
	for (size_t i = 0; t->entries && i <= t->mask; i++)
		if (t->entries[i].key)
			bigger.entries[place_of(&bigger, t->entries[i].key - 1)] = t->entries[i];
	free(t->entries);
	*t = bigger;
	return 0;
}

/* --- storage --- */

int xfs_overlay_storage_create(struct overlay_storage *s, size_t memory, const char *tmpdir)
{
	uint64_t slots = xfs_min(memory / XFS_OVERLAY_BLOCK, XFS_SLOT_ZERO / 2) / CHUNK_SLOTS * CHUNK_SLOTS;

	*s = (struct overlay_storage){ .fd = -1, .in_memory = (uint32_t)slots };
	/* the array of chunk pointers is 1/131072 of the memory that was allowed */
	s->chunks = calloc((size_t)slots / CHUNK_SLOTS + 1, sizeof(*s->chunks));
	if (tmpdir)
		s->tmpdir = strdup(tmpdir);
	if (!s->chunks || (tmpdir && !s->tmpdir)) {
		xfs_overlay_storage_free(s);
		return -XFS_E_NOMEM;
	}
	return 0;
}

void xfs_overlay_storage_free(struct overlay_storage *s)
{
	for (uint32_t i = 0; s->chunks && i < s->in_memory / CHUNK_SLOTS; i++)
		free(s->chunks[i]);
	free(s->chunks);
	free(s->freed);
	free(s->tmpdir);
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct overlay_storage){ .fd = -1 };
}

void xfs_overlay_storage_reset(struct overlay_storage *s)
{
	s->next = 0;
	s->freed_n = 0;
	/* the blocks of the file serve again, or go away with it */
}

/* Makes sure that slot s->next can be written. */
static int next_prepare(struct overlay_storage *s)
{
	uint8_t **chunk;

	if (s->next < s->in_memory) {
		chunk = &s->chunks[s->next / CHUNK_SLOTS];
		if (!*chunk)
			*chunk = malloc((size_t)CHUNK_SLOTS * XFS_OVERLAY_BLOCK);
		if (*chunk)
			return 0;
		s->in_memory = s->next;	/* less memory than was allowed: the rest goes to the file */
	}
	if (s->fd < 0) {
		int fd = xfs_fd_temporary(s->tmpdir);

		if (fd < 0)
			return fd;
		s->fd = fd;
	}
	return 0;
}

int xfs_overlay_storage_take(struct overlay_storage *s, uint32_t *slot)
{
	int err;

	if (s->freed_n) {
		*slot = s->freed[--s->freed_n];
		return 0;
	}
	if (s->next >= XFS_SLOT_ZERO)
		return -XFS_E_NOSPC;
	err = next_prepare(s);
	if (!err)
		*slot = s->next++;
	return err;
}

void xfs_overlay_storage_give(struct overlay_storage *s, uint32_t slot)
{
	if (xfs_grow(&s->freed, s->freed_n, &s->freed_room, 64))
		return;	/* the slot stays unused, which harms nobody */
	s->freed[s->freed_n++] = slot;
}

bool xfs_overlay_storage_adjoins(const struct overlay_storage *s, uint32_t slot)
{
	return slot < s->in_memory ? (slot + 1) % CHUNK_SLOTS != 0 : slot + 1 < XFS_SLOT_ZERO;
}

static uint8_t *memory_of(const struct overlay_storage *s, uint32_t slot)
{
	return s->chunks[slot / CHUNK_SLOTS] + (size_t)(slot % CHUNK_SLOTS) * XFS_OVERLAY_BLOCK;
}

static uint64_t offset_of(const struct overlay_storage *s, uint32_t slot)
{
	return (uint64_t)(slot - s->in_memory) * XFS_OVERLAY_BLOCK;
}

int xfs_overlay_storage_read(const struct overlay_storage *s, uint32_t slot, uint32_t skip, void *buf, size_t len)
{
	/* the file always ends behind the last slot that was written whole */
	if (slot >= s->in_memory)
		return xfs_fd_read(s->fd, buf, len, offset_of(s, slot) + skip);
	memcpy(buf, memory_of(s, slot) + skip, len);
	return 0;
}

int xfs_overlay_storage_write(struct overlay_storage *s, uint32_t slot, uint32_t skip, const void *buf, size_t len)
{
	if (slot >= s->in_memory)
		return xfs_fd_write(s->fd, buf, len, offset_of(s, slot) + skip);
	memcpy(memory_of(s, slot) + skip, buf, len);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer.c - the buffer cache: look-up, overlap map, references, eviction. */
#include "libxfs/mount/buffer_priv.h"

#include "libxfs/base/bytes.h"

#include <stdlib.h>

/* With no key: who makes all of them one has but one lock, and how memory is had is the same in each run. */
static unsigned shard_index(uint64_t daddr)
{
	return (unsigned)(daddr * UINT64_C(0x9e3779b97f4a7c15) >> 37) % XFS_BUF_SHARDS;
}

static struct xfs_buf **bucket_of(struct xfs_buf_cache *c, uint64_t daddr)
{
	return &c->shards[shard_index(daddr)].buckets[xfs_mix(&c->mix, daddr) & c->bucket_mask];
}

static struct xfs_buf_node **map_slot(struct xfs_buf_cache *c, uint64_t granule)
{
	return &c->map[xfs_mix(&c->mix, granule) & c->map_mask];
}

int xfs_buf_cache_new(struct xfs_buf_cache **out, struct xfs_dev *dev, uint32_t blocksize, size_t limit,
		      const void *ctx)
{
	struct xfs_buf_cache *c;
	bool failed = false;
	uint64_t blocks;

	*out = NULL;
	if (blocksize < XFS_BBSIZE || blocksize > XFS_BUF_MAXLEN || !xfs_is_pow2(blocksize))
		return -XFS_E_INVALID;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -XFS_E_NOMEM;
	xfs_mix_init(&c->mix);
	c->dev = dev;
	c->ctx = ctx;
	c->limit = limit / XFS_BUF_SHARDS;
	c->granule_shift = xfs_log2_floor(blocksize / XFS_BBSIZE);
	blocks = xfs_min(xfs_max(limit / blocksize, 1024), 1 << 24);
	c->map_mask = ((size_t)1 << xfs_log2_ceil(blocks)) - 1;
	c->bucket_mask = (c->map_mask + 1) / XFS_BUF_SHARDS - 1;
	pthread_mutex_init(&c->map_lock, NULL);
	c->map = calloc(c->map_mask + 1, sizeof(*c->map));
	for (unsigned i = 0; i < XFS_BUF_SHARDS; i++) {
		pthread_mutex_init(&c->shards[i].lock, NULL);
		pthread_cond_init(&c->shards[i].ready, NULL);
		c->shards[i].buckets = calloc(c->bucket_mask + 1, sizeof(*c->shards[i].buckets));
		if (!c->shards[i].buckets)
			failed = true;
	}
	if (!c->map || failed) {
		xfs_buf_cache_free(c);
		return -XFS_E_NOMEM;
	}
	*out = c;
	return 0;
}

static void buf_free(struct xfs_buf_shard *s, struct xfs_buf *b)
{
	xfs_buf_memory_put(s, b);
	free(b);
}

static void free_spares(struct xfs_buf_shard *s)
{
	struct xfs_buf *b;

	while ((b = s->spare)) {
		s->spare = b->hash_next;
		buf_free(s, b);
	}
	s->nspare = 0;
}

void xfs_buf_cache_free(struct xfs_buf_cache *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < XFS_BUF_SHARDS; i++) {
		struct xfs_buf_shard *s = &c->shards[i];
		struct xfs_buf *b;

		for (size_t k = 0; s->buckets && k <= c->bucket_mask; k++)
			while ((b = s->buckets[k])) {
				s->buckets[k] = b->hash_next;
				buf_free(s, b);
			}
		free_spares(s);
		free(s->buckets);
		pthread_mutex_destroy(&s->lock);
		pthread_cond_destroy(&s->ready);
	}
	free(c->map);
	pthread_mutex_destroy(&c->map_lock);
	free(c);
}

int xfs_buf_shape_check(const struct xfs_buf_cache *c, const struct xfs_buf_extent *e, unsigned n, uint32_t *len)
{
	uint64_t total = 0, sectors = c->dev->size / XFS_BBSIZE;

	if (!n || n > XFS_BUF_MAXEXTENTS)
		return -XFS_E_RANGE;
	for (unsigned i = 0; i < n; i++) {
		if (!e[i].bbs || e[i].daddr >= sectors || e[i].bbs > sectors - e[i].daddr)
			return -XFS_E_RANGE;
		total += (uint64_t)e[i].bbs * XFS_BBSIZE;
	}
	if (total > XFS_BUF_MAXLEN)
		return -XFS_E_RANGE;
	*len = (uint32_t)total;
	return 0;
}

/* ---- memory ---- */

static unsigned granules_of(const struct xfs_buf_cache *c, const struct xfs_buf_extent *e)
{
	return (unsigned)(((e->daddr + e->bbs - 1) >> c->granule_shift) - (e->daddr >> c->granule_shift)) + 1;
}

static struct xfs_buf *buf_alloc(struct xfs_buf_cache *c, struct xfs_buf_shard *s, const struct xfs_buf_extent *e,
				 unsigned n, uint32_t len)
{
	unsigned nodes = 0;
	struct xfs_buf *b, **at;

	for (unsigned i = 0; i < n; i++)
		nodes += granules_of(c, &e[i]);
	for (at = &s->spare; (b = *at); at = &b->hash_next)
		if (b->len == len && b->max_extents >= n && b->max_nodes >= nodes) {
			*at = b->hash_next;
			s->nspare--;
			break;
		}
	if (!b) {
		b = calloc(1, sizeof(*b) + n * sizeof(*b->extents) + nodes * sizeof(*b->nodes));
		if (!b)
			return NULL;
		if (xfs_buf_memory_get(s, b, len)) {
			free(b);
			return NULL;
		}
		b->nodes = (void *)(b + 1);
		b->extents = (void *)(b->nodes + nodes);
		b->max_extents = n;
		b->max_nodes = nodes;
		b->len = len;
		b->cache = c;
	}
	memcpy(b->extents, e, n * sizeof(*e));
	b->nextents = n;
	b->nnodes = 0;
	b->shard = shard_index(e[0].daddr);
	b->type = NULL;
	b->verdict = 0;
	b->dirty = b->doomed = b->checking = b->tried = b->apart = b->mended = false;
	b->joined = NULL;
	return b;
}

/* Keeps the memory of a buffer for the next miss. */
static void buf_spare(struct xfs_buf_shard *s, struct xfs_buf *b)
{
	if (s->nspare >= XFS_BUF_SPARES) {
		struct xfs_buf *old = s->spare;

		s->spare = old->hash_next;
		s->nspare--;
		buf_free(s, old);
	}
	b->hash_next = s->spare;
	s->spare = b;
	s->nspare++;
}

/* ---- map of covered sectors ---- */

static bool extents_meet(const struct xfs_buf_extent *a, const struct xfs_buf_extent *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a->daddr < b[i].daddr + b[i].bbs && b[i].daddr < a->daddr + a->bbs)
			return true;
	return false;
}

static void map_remove(struct xfs_buf *b)
{
	for (unsigned i = 0; i < b->nnodes; i++) {
		struct xfs_buf_node **at = map_slot(b->cache, b->nodes[i].granule);

		while (*at != &b->nodes[i])
			at = &(*at)->next;
		*at = b->nodes[i].next;
	}
	b->nnodes = 0;
}

static void buf_unclaim(struct xfs_buf *b)
{
	pthread_mutex_lock(&b->cache->map_lock);
	map_remove(b);
	pthread_mutex_unlock(&b->cache->map_lock);
}

/* Enters a buffer into the map. OVERLAP: *conflict is the first sector of the buffer in the way. RANGE: its own. */
static int buf_claim(struct xfs_buf *b, uint64_t *conflict)
{
	struct xfs_buf_cache *c = b->cache;
	int err = 0;

	pthread_mutex_lock(&c->map_lock);
	for (unsigned i = 0; i < b->nextents && !err; i++) {
		uint64_t g = b->extents[i].daddr >> c->granule_shift;
		uint64_t end = g + granules_of(c, &b->extents[i]);

		for (; g < end && !err; g++) {
			struct xfs_buf_node **slot = map_slot(c, g), *k;

			for (k = *slot; k && !err; k = k->next)
				if (k->granule == g && extents_meet(&b->extents[i], k->buf->extents,
								    k->buf == b ? i : k->buf->nextents)) {
					*conflict = k->buf->extents[0].daddr;
					err = k->buf == b ? -XFS_E_RANGE : -XFS_E_OVERLAP;
				}
			if (err)
				break;
			k = &b->nodes[b->nnodes++];
			*k = (struct xfs_buf_node){ .next = *slot, .buf = b, .granule = g };
			*slot = k;
		}
	}
	if (err) {
		map_remove(b);
		c->overlaps++;
	}
	pthread_mutex_unlock(&c->map_lock);
	return err;
}

/* ---- LRU list and look-up; the lock of the shard is held ---- */

static void lru_remove(struct xfs_buf_shard *s, struct xfs_buf *b)
{
	*(b->prev ? &b->prev->next : &s->oldest) = b->next;
	*(b->next ? &b->next->prev : &s->newest) = b->prev;
	b->prev = b->next = NULL;
	s->idle_bytes -= b->len;
}

static void lru_add(struct xfs_buf_shard *s, struct xfs_buf *b)
{
	b->next = NULL;
	b->prev = s->newest;
	*(s->newest ? &s->newest->next : &s->oldest) = b;
	s->newest = b;
	s->idle_bytes += b->len;
}

static void unhash(struct xfs_buf_shard *s, struct xfs_buf *b)
{
	struct xfs_buf **at = bucket_of(b->cache, b->extents[0].daddr);

	while (*at != b)
		at = &(*at)->hash_next;
	*at = b->hash_next;
	s->stats.buffers--;
	s->stats.bytes -= b->len;
	buf_unclaim(b);
	buf_spare(s, b);
}

/* Takes an idle clean buffer out of the cache. */
static void drop(struct xfs_buf_shard *s, struct xfs_buf *b)
{
	lru_remove(s, b);
	unhash(s, b);
}

static bool is_idle(const struct xfs_buf *b)
{
	return !b->refs && !b->dirty && !b->reading;
}

static void trim(struct xfs_buf_cache *c, struct xfs_buf_shard *s)
{
	while (s->oldest && s->idle_bytes > c->limit) {
		drop(s, s->oldest);
		s->stats.evictions++;
	}
}

static bool same_extents(const struct xfs_buf *b, const struct xfs_buf_extent *e, unsigned n)
{
	if (b->nextents != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (b->extents[i].daddr != e[i].daddr || b->extents[i].bbs != e[i].bbs)
			return false;
	return true;
}

static void take(struct xfs_buf_shard *s, struct xfs_buf *b)
{
	if (!b->refs++ && !b->dirty)
		lru_remove(s, b);
}

/* Makes way for another shape: drops the buffer that starts at daddr. False when somebody holds it or it is dirty. */
static bool drop_conflict(struct xfs_buf_cache *c, uint64_t daddr)
{
	struct xfs_buf_shard *s = &c->shards[shard_index(daddr)];
	bool gone = true;

	pthread_mutex_lock(&s->lock);
	for (struct xfs_buf *b = *bucket_of(c, daddr), *next; b; b = next) {
		next = b->hash_next;
		if (b->extents[0].daddr != daddr)
			continue;
		if (is_idle(b))
			drop(s, b);
		else
			gone = false;
	}
	pthread_mutex_unlock(&s->lock);
	return gone;
}

int xfs_buf_obtain(struct xfs_buf_cache *c, const struct xfs_buf_extent *e, unsigned n, uint32_t len, unsigned flags,
		   bool wait, struct xfs_buf **out, bool *fresh)
{
	struct xfs_buf_shard *s = &c->shards[shard_index(e[0].daddr)];

	/* each turn drops one conflicting buffer; no range of 64 KiB meets more than 128 at once */
	for (unsigned turn = 0; turn < 4 * XFS_BUF_MAXEXTENTS; turn++) {
		struct xfs_buf *b;
		uint64_t conflict = 0;
		int err = 0;

		pthread_mutex_lock(&s->lock);
		for (b = *bucket_of(c, e[0].daddr); b && !same_extents(b, e, n); b = b->hash_next)
			;
		if (b && b->reading) {
			if (wait)
				pthread_cond_wait(&s->ready, &s->lock);
			pthread_mutex_unlock(&s->lock);
			if (!wait)
				return -XFS_E_BUSY;
			turn--;
			continue;
		}
		*fresh = !b;
		if (b) {
			take(s, b);
			s->stats.hits++;
		} else if (flags & XFS_BUF_CACHED) {
			err = -XFS_E_NOENT;
		} else if (!(b = buf_alloc(c, s, e, n, len))) {
			err = -XFS_E_NOMEM;
		} else if ((err = buf_claim(b, &conflict))) {
			buf_spare(s, b);
		} else {
			b->refs = 1;
			b->reading = true;
			b->hash_next = *bucket_of(c, e[0].daddr);
			*bucket_of(c, e[0].daddr) = b;
			s->stats.misses++;
			s->stats.buffers++;
			s->stats.bytes += len;
		}
		pthread_mutex_unlock(&s->lock);
		*out = b;
		if (err != -XFS_E_OVERLAP)
			return err;
		if (!drop_conflict(c, conflict))
			return err;
	}
	return -XFS_E_OVERLAP;
}

void xfs_buf_finish(struct xfs_buf *b, int error)
{
	struct xfs_buf_shard *s = xfs_buf_shard_of(b);

	pthread_mutex_lock(&s->lock);
	b->reading = false;
	if (error) {
		b->refs = 0;
		unhash(s, b);
	}
	pthread_cond_broadcast(&s->ready);
	pthread_mutex_unlock(&s->lock);
}

static int read_buf(struct xfs_buf *b)
{
	struct xfs_iovec v[XFS_BUF_MAXEXTENTS];
	uint8_t *p = b->data;

	for (unsigned i = 0; i < b->nextents; i++) {
		v[i] = (struct xfs_iovec){ b->extents[i].daddr * XFS_BBSIZE, (size_t)b->extents[i].bbs * XFS_BBSIZE, p,
					  0 };
		p += v[i].len;
	}
	return xfs_dev_readv(b->cache->dev, v, b->nextents);
}

static int read_counted(struct xfs_buf *b)
{
	struct xfs_buf_shard *s = xfs_buf_shard_of(b);
	int err = read_buf(b);

	if (err)
		return err;
	pthread_mutex_lock(&s->lock);
	s->stats.reads++;
	s->stats.read_bytes += b->len;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* A buffer outside of the cache, read anew. */
static int get_apart(struct xfs_buf_cache *c, const struct xfs_buf_extent *e, unsigned n, uint32_t len,
		     struct xfs_buf **out)
{
	struct xfs_buf_shard *s = &c->shards[shard_index(e[0].daddr)];
	struct xfs_buf *b;
	int err;

	pthread_mutex_lock(&s->lock);
	b = buf_alloc(c, s, e, n, len);
	pthread_mutex_unlock(&s->lock);
	*out = b;
	if (!b)
		return -XFS_E_NOMEM;
	b->apart = true;
	b->refs = 1;
	err = read_counted(b);
	if (err) {
		xfs_buf_put(b);
		*out = NULL;
	}
	return err;
}

static int get_unchecked(struct xfs_buf_cache *c, const struct xfs_buf_extent *e, unsigned n, uint32_t len,
			 unsigned flags, struct xfs_buf **out)
{
	bool fresh;
	int err = xfs_buf_obtain(c, e, n, len, flags, true, out, &fresh);

	if (err == -XFS_E_OVERLAP && c->only_reads)
		return get_apart(c, e, n, len, out);
	if (err || !fresh)
		return err;
	if (flags & XFS_BUF_NEW)
		memset((*out)->data, 0, len);
	else
		err = read_counted(*out);
	xfs_buf_finish(*out, err);
	return err;
}

int xfs_buf_get(struct xfs_buf_cache *c, const struct xfs_buf_extent *e, unsigned n, const struct xfs_buf_type *type,
		unsigned flags, struct xfs_buf **out)
{
	struct xfs_buf *b;
	bool shared = false;
	uint32_t len;
	int err = xfs_buf_shape_check(c, e, n, &len);

	*out = NULL;
	if (!err)
		err = get_unchecked(c, e, n, len, flags, &b);
	if (err)
		return err;
	if (type && !(flags & (XFS_BUF_NOVERIFY | XFS_BUF_NEW))) {
		err = xfs_buf_check_held(b, type, NULL, &shared);
		if (err && shared && c->only_reads) {
			xfs_buf_put(b);
			err = get_apart(c, e, n, len, &b);
			if (err)
				return err;
			err = xfs_buf_check_held(b, type, NULL, &shared);
		}
		if (err && !(flags & XFS_BUF_BROKEN)) {
			xfs_buf_put(b);
			return err;
		}
	}
	*out = b;
	return 0;
}

int xfs_buf_get1(struct xfs_buf_cache *c, uint64_t daddr, uint32_t bbs, const struct xfs_buf_type *type, unsigned flags,
		 struct xfs_buf **out)
{
	struct xfs_buf_extent e = { daddr, bbs };

	return xfs_buf_get(c, &e, 1, type, flags, out);
}

void xfs_buf_cancel(struct xfs_buf *b)
{
	struct xfs_buf_shard *s = xfs_buf_shard_of(b);

	pthread_mutex_lock(&s->lock);
	if (b->dirty)
		s->stats.dirty_bytes -= b->len;
	b->dirty = false;
	b->doomed = true;
	pthread_mutex_unlock(&s->lock);
}

void xfs_buf_hold(struct xfs_buf *b)
{
	struct xfs_buf_shard *s = xfs_buf_shard_of(b);

	pthread_mutex_lock(&s->lock);
	b->refs++;
	pthread_mutex_unlock(&s->lock);
}

void xfs_buf_put(struct xfs_buf *b)
{
	struct xfs_buf_shard *s;

	if (!b)
		return;
	s = xfs_buf_shard_of(b);
	pthread_mutex_lock(&s->lock);
	if (!--b->refs && b->apart) {
		buf_spare(s, b);
	} else if (!b->refs && !b->dirty) {
		lru_add(s, b);
		if (b->doomed)
			drop(s, b);
		else
			trim(b->cache, s);
	}
	pthread_mutex_unlock(&s->lock);
}

void xfs_buf_forget(struct xfs_buf_cache *c, uint64_t daddr, uint64_t bbs)
{
	for (unsigned i = 0; i < XFS_BUF_SHARDS; i++) {
		struct xfs_buf_shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		for (struct xfs_buf *b = s->oldest, *next; b; b = next) {
			bool meets = !bbs;

			next = b->next;
			for (unsigned k = 0; k < b->nextents && !meets; k++)
				meets = b->extents[k].daddr + b->extents[k].bbs > daddr &&
					(b->extents[k].daddr < daddr || b->extents[k].daddr - daddr < bbs);
			if (meets)
				drop(s, b);
		}
		if (!bbs)
			free_spares(s);
		pthread_mutex_unlock(&s->lock);
	}
}

void xfs_buf_stats(struct xfs_buf_cache *c, struct xfs_buf_stats *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < XFS_BUF_SHARDS; i++) {
		struct xfs_buf_shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		out->hits += s->stats.hits;
		out->misses += s->stats.misses;
		out->reads += s->stats.reads;
		out->read_bytes += s->stats.read_bytes;
		out->writes += s->stats.writes;
		out->write_bytes += s->stats.write_bytes;
		out->evictions += s->stats.evictions;
		out->bytes += s->stats.bytes;
		out->dirty_bytes += s->stats.dirty_bytes;
		out->buffers += s->stats.buffers;
		pthread_mutex_unlock(&s->lock);
	}
	pthread_mutex_lock(&c->map_lock);
	out->overlaps = c->overlaps;
	pthread_mutex_unlock(&c->map_lock);
}

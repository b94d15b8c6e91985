/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer_check.c - the buffer cache: verdicts of verifiers, blocks with a flipped bit. */
#include "libxfs/mount/buffer_priv.h"

#include <string.h>

void xfs_buf_cache_mends(struct xfs_buf_cache *c, xfs_buf_mended_fn told, void *payload)
{
	c->mended = told;
	c->mended_payload = payload;
}

void xfs_buf_cache_only_reads(struct xfs_buf_cache *c)
{
	c->only_reads = true;
}

static void tell_mended(const struct xfs_buf *b, const struct xfs_buf_type *type)
{
	b->cache->mended(b->cache->mended_payload, b, type, b->mended_byte, b->mended_bit);
}

/* One thread at a time looks at a block that may be mended for the first time: mending changes it. */
int xfs_buf_check_held(struct xfs_buf *b, const struct xfs_buf_type *type, struct xfs_finding *why, bool *shared)
{
	struct xfs_buf_shard *s = xfs_buf_shard_of(b);
	bool mends = b->cache->mended && type->mend, known, tell, alone;
	int err;

	*shared = false;
	pthread_mutex_lock(&s->lock);
	while (b->checking)
		pthread_cond_wait(&s->ready, &s->lock);
	/* a changed block has no valid checksum until it is written */
	known = b->dirty || (b->type == type && (!b->verdict || !mends || b->tried));
	err = b->dirty || !type->verify ? 0 : b->verdict;
	alone = b->refs == 1;
	if (!type->verify || (known && (!err || !why))) {
		tell = mends && known && !err && b->mended;
		pthread_mutex_unlock(&s->lock);
		if (tell)
			tell_mended(b, type);
		return err;
	}
	b->checking = mends && alone;
	pthread_mutex_unlock(&s->lock);
	err = type->verify(b->cache->ctx, b, why);
	if (err && !known && mends && alone && type->mend(b->cache->ctx, b, &b->mended_byte, &b->mended_bit)) {
		b->mended = true;
		err = 0;
	}
	pthread_mutex_lock(&s->lock);
	b->type = type;
	b->verdict = err;
	tell = mends && !err && b->mended;
	b->tried = mends && (alone || known);
	if (mends && alone) {
		b->checking = false;
		pthread_cond_broadcast(&s->ready);
	}
	*shared = err && mends && !b->tried;
	pthread_mutex_unlock(&s->lock);
	if (tell)
		tell_mended(b, type);
	return err;
}

int xfs_buf_check(struct xfs_buf *b, const struct xfs_buf_type *type, struct xfs_finding *why)
{
	bool shared;

	return xfs_buf_check_held(b, type, why, &shared);
}

void xfs_buf_as_read(struct xfs_buf *b, void *out, size_t len)
{
	struct xfs_buf_shard *s = xfs_buf_shard_of(b);

	pthread_mutex_lock(&s->lock);
	while (b->checking)
		pthread_cond_wait(&s->ready, &s->lock);
	pthread_mutex_unlock(&s->lock);
	/* from here on this user keeps others from mending */
	memcpy(out, b->data, len);
	if (b->mended && b->mended_byte < len)
		((uint8_t *)out)[b->mended_byte] ^= (uint8_t)(1u << b->mended_bit);
}

void xfs_buf_trust(struct xfs_buf *b, const struct xfs_buf_type *type)
{
	struct xfs_buf_shard *s = xfs_buf_shard_of(b);

	pthread_mutex_lock(&s->lock);
	b->type = type;
	b->verdict = 0;
	pthread_mutex_unlock(&s->lock);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* sometree.c - a btree in memory that tests damage and restore, and what verify finds in it. */
#include "tests/unit/sometree.h"

#include <stdlib.h>

void sometree_make(struct sometree *x, unsigned id, bool v5, uint32_t blocksize, uint64_t n)
{
	uint64_t random = 1000 + id;

	memset(x, 0, sizeof(*x));
	x->recs = test_records(&xfs_btree_kinds[id], n, &random, 10);
	memtree_load(&x->t, &xfs_btree_kinds[id], v5, blocksize, x->recs, n, -1, -1, 140);
	x->bt = memtree_instance(&x->t);
	x->saved = malloc(x->t.room * blocksize + sizeof(x->t.fork));
	must(x->saved != NULL);
	memcpy(x->saved, x->t.blocks, x->t.room * blocksize);
	memcpy(x->saved + x->t.room * blocksize, x->t.fork, sizeof(x->t.fork));
}

void sometree_restore(struct sometree *x)
{
	memcpy(x->t.blocks, x->saved, x->t.room * x->t.blocksize);
	memcpy(x->t.fork, x->saved + x->t.room * x->t.blocksize, sizeof(x->t.fork));
	x->bt = memtree_instance(&x->t);
}

void sometree_drop(struct sometree *x)
{
	memtree_release(&x->t);
	free(x->recs);
	free(x->saved);
}

void sometree_note(void *payload, const struct xfs_finding *f)
{
	struct sometree *x = payload;

	must(f->id > XFS_F_NONE);
	must(f->id < XFS_F_COUNT);
	x->found[f->id]++;
	x->findings++;
}

void sometree_verify(struct sometree *x)
{
	struct xfs_sink sink = { sometree_note, x };
	struct xfs_btree_verify v = { .sink = &sink };

	memset(x->found, 0, sizeof(x->found));
	x->findings = 0;
	must(xfs_btree_verify(&x->bt, &v) == 0);
	must(v.findings == x->findings);
	must(x->t.borrowed == 0);
}

int sometree_ignore_record(void *payload, const void *rec)
{
	uint64_t *n = payload;

	(void)rec;
	(*n)++;
	return 0;
}

int sometree_ignore_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	(void)ptr;
	(void)level;
	(void)data;
	(*(uint64_t *)payload)++;
	return 0;
}

int sometree_go_on(void *payload, uint64_t ptr, unsigned level, int error)
{
	(void)payload;
	(void)ptr;
	(void)level;
	must(error < 0);
	return 0;
}

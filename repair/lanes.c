/* SPDX-License-Identifier: BSD-2-Clause */
/* lanes.c - one AG, one view of the repair; what views say and find comes together in the order of the AGs. */
#include "repair/lanes.h"
#include "repair/evidence.h"
#include "repair/flips.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MOST_HELD 4096u		/* words of a lane that waits for its turn: about a megabyte */
#define MOST_AHEAD 64u		/* lanes that are begun before an earlier one is done */
#define CLAIMS 512u		/* handed over together */

enum { SAID_LINE, SAID_FINDING, SAID_FLIP };

/* Something said in a lane. */
struct said {
	uint8_t what;
	bool fixed;
	size_t flip;
	union { struct xfs_finding f; char *text; };
};

struct lanes {
	struct repair *r;
	int (*job)(struct repair *view, size_t agno);
	pthread_mutex_t lock;
	pthread_cond_t turned;
	uint32_t turn;			/* all AGs below are done and handed over */
	uint32_t failed;		/* the first that failed: nothing of later ones counts */
	int error;			/* of the first that failed, when it was handed over */
	uint64_t scanned;
	struct repair_lane **done;	/* by agno: waits to be handed over */
};

struct repair_lane {
	struct repair view;
	struct lanes *all;
	uint32_t agno;
	struct said *said;
	size_t nsaid, room;
	int error;			/* what was said could not be kept */
	struct { xfs_agno_t agno; struct xfs_claim c; } claims[CLAIMS];
	size_t nclaims;
};

static _Thread_local struct repair_lane *current;

struct repair *repair_view(struct repair *r)
{
	return current && current->all->r == r ? &current->view : r;
}

/* ---- what is said ---- */

static struct said *add(struct repair_lane *l)
{
	if (xfs_grow(&l->said, l->nsaid, &l->room, 16)) {
		l->error = -XFS_E_NOMEM;
		return NULL;
	}
	return &l->said[l->nsaid++];
}

void repair_lane_note(struct repair *view, const struct xfs_finding *f, bool fixed)
{
	struct said *s = add(view->lane);

	if (s)
		*s = (struct said){ .what = SAID_FINDING, .fixed = fixed, .f = *f };
}

void repair_lane_flip(struct repair *view, size_t n, const struct xfs_finding *f)
{
	struct said *s = add(view->lane);

	if (s)
		*s = (struct said){ .what = SAID_FLIP, .fixed = true, .flip = n, .f = *f };
}

void repair_lane_say(struct repair *view, const char *text)
{
	struct said *s = add(view->lane);

	if (!s)
		return;
	*s = (struct said){ .what = SAID_LINE, .text = strdup(text) };
	if (!s->text) {
		view->lane->nsaid--;
		view->lane->error = -XFS_E_NOMEM;
	}
}

static void forget(struct repair_lane *l)
{
	for (size_t i = 0; i < l->nsaid; i++)
		if (l->said[i].what == SAID_LINE)
			free(l->said[i].text);
	l->nsaid = 0;
}

/* It is the lane's turn: says it to the repair. The lock is held. */
static void hand_over_said(struct repair_lane *l)
{
	struct repair *r = l->all->r;

	for (size_t i = 0; i < l->nsaid; i++) {
		struct said *s = &l->said[i];
		bool news = true;
		int error = 0;

		switch (s->what) {
		case SAID_LINE:
			repair_say(r, "%s", s->text);
			break;
		case SAID_FLIP:
			error = repair_adopt_flip(r, &l->view, s->flip, &news);
			r->flip_error = r->flip_error ? r->flip_error : error;
			s->fixed = s->fixed && !error;
			/* fall through */
		default:
			if (news)
				repair_note(r, &s->f, s->fixed);
			break;
		}
	}
	forget(l);
}

void repair_lane_rest(struct repair *view)
{
	struct repair_lane *l = view->lane;
	struct lanes *all = l ? l->all : NULL;

	if (!l || !l->nsaid)
		return;
	pthread_mutex_lock(&all->lock);
	while (l->nsaid > MOST_HELD && all->turn != l->agno && l->agno < all->failed)
		pthread_cond_wait(&all->turned, &all->lock);
	if (all->turn == l->agno)
		hand_over_said(l);
	else if (l->agno > all->failed)
		forget(l);
	pthread_mutex_unlock(&all->lock);
}

void repair_lane_step(struct repair *view, const char *unit, uint64_t done, uint64_t total)
{
	struct lanes *all = view->lane->all;

	pthread_mutex_lock(&all->lock);
	repair_step(all->r, unit, done, total);
	pthread_mutex_unlock(&all->lock);
}

uint64_t repair_lane_scanned(struct repair *view, uint64_t more)
{
	return __atomic_add_fetch(&view->lane->all->scanned, more, __ATOMIC_RELAXED);
}

/* ---- claims: of blocks in any AG ---- */

static int flush_claims(struct repair_lane *l)
{
	int error = 0;

	pthread_mutex_lock(&l->all->lock);
	for (size_t i = 0; i < l->nclaims && !error; i++)
		error = xfs_claims_add(l->view.claims, l->claims[i].agno, &l->claims[i].c);
	pthread_mutex_unlock(&l->all->lock);
	l->nclaims = 0;
	return error;
}

int repair_lane_claim(struct repair *view, xfs_agno_t agno, const struct xfs_claim *c)
{
	struct repair_lane *l = view->lane;

	l->claims[l->nclaims].agno = agno;
	l->claims[l->nclaims++].c = *c;
	return l->nclaims == CLAIMS ? flush_claims(l) : 0;
}

/* ---- what is kept ---- */

static int append(void *list, size_t *n, size_t *room, const void *more, size_t count, size_t size)
{
	char **at = list;

	if (xfs_grow_to(list, room, *n + count, size))
		return -XFS_E_NOMEM;
	if (count)
		memcpy(*at + *n * size, more, count * size);
	*n += count;
	return 0;
}

/* Inode numbers of a later AG are greater, so lists stay in order. */
static int hand_over_lists(struct repair *r, struct repair *view)
{
	int error;

	repair_pack_images(view);
	error = append(&r->lost, &r->nlost, &r->lost_room, view->lost, view->nlost, sizeof(*view->lost));
	if (!error && !r->ninodes) {	/* two of a long list would take room */
		free(r->inodes);
		r->inodes = view->inodes;
		r->ninodes = view->ninodes;
		r->inode_room = view->inode_room;
		view->inodes = NULL;
		view->ninodes = view->inode_room = 0;
	} else if (!error) {
		error = append(&r->inodes, &r->ninodes, &r->inode_room, view->inodes, view->ninodes,
			       sizeof(*view->inodes));
	}
	if (!error)
		view->ninodes = 0;
	r->any_odd |= view->any_odd;
	r->before.inodes += view->before.inodes;
	r->before.blocks += view->before.blocks;
	if (view->max_lsn > r->max_lsn)
		r->max_lsn = view->max_lsn;
	if (!r->flip_error)
		r->flip_error = view->flip_error;
	return error;
}

static void free_lane(struct repair_lane *l)
{
	struct repair *v = &l->view;

	forget(l);
	free(l->said);
	repair_forget_changed(v);
	free(v->lost);
	repair_forget_flips(v);
	free(l);
}

/* The lock is held: the repair changes as lanes hand over. */
static void begin_lane(struct repair_lane *l, struct lanes *all, uint32_t agno)
{
	struct repair *v = &l->view;

	*l = (struct repair_lane){ .view = *all->r, .all = all, .agno = agno };
	v->lane = l;
	v->inodes = v->late = NULL;
	v->nopened = 0;
	v->nlate = v->late_room = 0;
	v->ninodes = v->inode_room = 0;
	v->lost = NULL;
	v->nlost = v->lost_room = 0;
	v->flips = (struct repair_flips){ 0 };
	v->left = NULL;
	v->nleft = v->left_room = v->nunread = 0;
	v->holds = (struct repair_holds){ 0 };
	v->before = (struct repair_tally){ 0 };
	v->findings = v->unfixed = v->max_lsn = 0;
	v->flip_error = 0;
	v->any_odd = false;
}

/* ---- running ---- */

static void fail(struct lanes *all, uint32_t agno)
{
	if (agno < all->failed)
		all->failed = agno;
	pthread_cond_broadcast(&all->turned);
}

/* Hands over what is done, in order, as far as it goes. The lock is held. */
static void turn(struct lanes *all)
{
	while (all->turn < all->r->geo.agcount && all->turn <= all->failed && all->done[all->turn]) {
		struct repair_lane *l = all->done[all->turn];

		hand_over_said(l);
		all->error = l->error ? l->error : hand_over_lists(all->r, &l->view);
		if (all->error)
			fail(all, all->turn);
		all->done[all->turn++] = NULL;
		free_lane(l);
	}
	pthread_cond_broadcast(&all->turned);
}

/* NULL: no memory, or an earlier one failed. */
static struct repair_lane *enter(struct lanes *all, uint32_t agno, int *error)
{
	struct repair_lane *l = malloc(sizeof(*l));

	*error = l ? 0 : -XFS_E_NOMEM;
	pthread_mutex_lock(&all->lock);
	while (!*error && agno - all->turn > MOST_AHEAD && agno < all->failed)
		pthread_cond_wait(&all->turned, &all->lock);
	if (*error) {
		fail(all, agno);
	} else if (agno > all->failed) {
		*error = -XFS_E_STOP;
		free(l);
		l = NULL;
	} else {
		begin_lane(l, all, agno);
	}
	pthread_mutex_unlock(&all->lock);
	return l;
}

static int run_lane(void *payload, size_t agno)
{
	struct lanes *all = payload;
	int error;
	struct repair_lane *l = enter(all, (uint32_t)agno, &error);

	if (!l)
		return error;
	if (!l->view.looking)
		repair_lane_step(&l->view, "allocation groups", agno, l->view.geo.agcount);
	current = l;
	error = all->job(&l->view, agno);
	current = NULL;
	if (!error)
		error = flush_claims(l);
	pthread_mutex_lock(&all->lock);
	if (!l->error)
		l->error = error;
	error = l->error;
	if (error)
		fail(all, l->agno);
	all->done[agno] = l;
	turn(all);
	pthread_mutex_unlock(&all->lock);
	return error;
}

/* What is in the lists already concerns any AG: views would not see it. */
static int one_by_one(struct repair *r, int (*job)(struct repair *view, size_t agno))
{
	int error = 0;

	for (uint32_t agno = 0; agno < r->geo.agcount && !error; agno++)
		error = job(r, agno);
	return error;
}

int repair_each_lane(struct repair *r, int (*job)(struct repair *view, size_t agno))
{
	struct lanes all = { .r = r, .job = job, .failed = UINT32_MAX, .scanned = r->scanned };
	int error;

	if (r->lane || r->ninodes || r->nlost)
		return one_by_one(r, job);
	all.done = calloc(r->geo.agcount, sizeof(struct repair_lane *));
	if (!all.done)
		return -XFS_E_NOMEM;
	pthread_mutex_init(&all.lock, NULL);
	pthread_cond_init(&all.turned, NULL);
	error = xfs_pool_run(r->threads ? r->threads : 1, r->geo.agcount, run_lane, &all, NULL);
	if (all.error)
		error = all.error;
	for (uint32_t i = 0; i < r->geo.agcount; i++)
		if (all.done[i])
			free_lane(all.done[i]);
	pthread_cond_destroy(&all.turned);
	pthread_mutex_destroy(&all.lock);
	free(all.done);
	r->scanned = all.scanned;
	return error;
}

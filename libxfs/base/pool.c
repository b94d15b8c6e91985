/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.c - a loop whose rounds run in several threads. */
#include "libxfs/base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define THREADS_MAX 256u

struct loop {
	pthread_mutex_t lock;
	size_t next, count;
	size_t failed;			/* lowest index that failed */
	int err;			/* its error */
	int (*fn)(void *payload, size_t index);
	void *payload;
};

unsigned xfs_pool_processors(void)
{
	cpu_set_t set;
	int n;

	/* more than 1024 processors: the set is too small, and enough */
	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	n = CPU_COUNT(&set);
	return n > 0 ? (unsigned)n : 1;
}

static void *work(void *arg)
{
	struct loop *l = arg;

	pthread_mutex_lock(&l->lock);
	while (l->next < l->count && !l->err) {
		size_t index = l->next++;
		int err;

		pthread_mutex_unlock(&l->lock);
		err = l->fn(l->payload, index);
		pthread_mutex_lock(&l->lock);
		if (err && (!l->err || index < l->failed)) {
			l->err = err;
			l->failed = index;
		}
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* Starts up to `want` threads; returns how many there are. */
static unsigned threads_start(struct loop *l, pthread_t *ids, unsigned want)
{
	sigset_t all, before;
	unsigned n = 0;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before))
		return 0;
	while (n < want && !pthread_create(&ids[n], NULL, work, l))
		n++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return n;
}

int xfs_pool_run(unsigned threads, size_t count, int (*fn)(void *payload, size_t index), void *payload, size_t *failed)
{
	struct loop l = { .count = count, .fn = fn, .payload = payload };
	pthread_t ids[THREADS_MAX];
	unsigned n = 0;

	if (!threads)
		threads = xfs_pool_processors();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if (threads > count)
		threads = (unsigned)count;
	pthread_mutex_init(&l.lock, NULL);
	if (threads > 1)
		n = threads_start(&l, ids, threads - 1);
	work(&l);
	while (n)
		pthread_join(ids[--n], NULL);
	pthread_mutex_destroy(&l.lock);
	if (l.err && failed)
		*failed = l.failed;
	return l.err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* work.c - queues deferred work. */
#include "libxfs/space/work.h"

#include "libxfs/mount/change.h"

int xfs_change_defer(struct xfs_change *c, const struct xfs_work *w)
{
	int err = c->works ? c->works->add(c->works, w) : -XFS_E_INVALID;

	if (!c->works && w->release)
		w->release(w->more);
	c->writes++;
	return err;
}

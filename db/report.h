/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - commands that report about more than the current object, and what they share.
 *
 * They read the device or the cache of the library and leave the position alone.  With -j each writes one JSON value.
 */
#ifndef DB_REPORT_H
#define DB_REPORT_H

#include "db/db.h"

#include "libxfs/base/json.h"

/* A JSON array to the output of commands, open for elements; and its end, with a newline. */
void db_json_start(struct db *, struct xfs_json *);
void db_json_end(struct db *, struct xfs_json *);

DB_RUN(btdump);

#endif

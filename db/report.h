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

/* What the object at the cursor holds, or the fields of these names, as one JSON object. */
void db_print_json(struct db *, int n, char **names);
/* A number of an existing block? */
bool db_fsblock_exists(const struct xfs_geometry *, uint64_t fsbno);
/* Does the bnobt say that it is free? */
bool db_block_is_free(struct db *, xfs_agno_t, xfs_agbno_t);
/* Words for owners of reverse mappings that are no inodes; NULL for others. */
const char *db_owner_word(uint64_t owner);

DB_RUN(agresv); DB_RUN(bmap); DB_RUN(btdump); DB_RUN(btheight); DB_RUN(dump_iunlinked); DB_RUN(frag); DB_RUN(freesp);
DB_RUN(fsmap); DB_RUN(info); DB_RUN(label); DB_RUN(ls); DB_RUN(owner); DB_RUN(parent); DB_RUN(rmapbt);
DB_RUN(timelimit); DB_RUN(uuid); DB_RUN(version);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c - JSON of commands goes where their text goes. */
#include "db/report.h"

static int write_out(void *payload, const void *bytes, size_t len)
{
	struct xfs_text_sink sink = db_sink(payload);

	return sink.write(sink.payload, bytes, len);
}

void db_json_start(struct db *db, struct xfs_json *j)
{
	xfs_json_start(j, write_out, db, false);
	xfs_json_array(j, NULL);
}

void db_json_end(struct db *db, struct xfs_json *j)
{
	int err;

	xfs_json_array_end(j);
	err = xfs_json_finish(j);
	if (err) {
		fprintf(stderr, "%s: JSON output: %s\n", db->prog, xfs_error_text(err));
		db->status = 1;
	}
}

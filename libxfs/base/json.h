/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - a streaming JSON writer: nothing is kept but one buffer and the nesting.
 *
 * Values go out as they come, through the caller's write function, so a dump may be larger than memory.  The first
 * error (of write(), or of use: a value without its key, a wrong end) sticks and the rest is dropped; xfs_json_finish()
 * reports it.  Values at the top level end with a newline each: several of them are JSON lines.
 *
 * Strings are bytes, as names on disk are.  Valid UTF-8 passes as it is; a byte that is not part of valid UTF-8 is
 * written as the code point of the same number (byte 0xe9: \u00e9).  So every name gives valid JSON, and who needs the
 * exact bytes of an invalid name writes them with xfs_json_hex() as well.
 * Numbers are exact for all 64 bits; readers that keep doubles lose digits above 2^53.
 * Layer: base. Not locked.
 */
#ifndef XFS_BASE_JSON_H
#define XFS_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XFS_JSON_DEPTH 64u

struct xfs_json {
	int (*write)(void *payload, const void *bytes, size_t len);	/* 0 or a negative code */
	void *payload;
	int error;
	bool pretty;			/* one value a line, indented by two blanks a level */
	bool keyed;			/* a key was written, its value comes next */
	unsigned depth;
	uint64_t objects, filled;	/* a bit a level: it is an object; it has members */
	size_t n;
	char buf[4096];
};

void xfs_json_start(struct xfs_json *, int (*write)(void *payload, const void *bytes, size_t len), void *payload,
		    bool pretty);
/* Hands over what is buffered. Returns the first error; INTERNAL when something is still open. */
int xfs_json_finish(struct xfs_json *);

/* Each value is preceded by xfs_json_key() when it goes into an object; key NULL in the calls below: it has none. */
void xfs_json_key(struct xfs_json *, const char *key);
void xfs_json_object(struct xfs_json *, const char *key);
void xfs_json_object_end(struct xfs_json *);
void xfs_json_array(struct xfs_json *, const char *key);
void xfs_json_array_end(struct xfs_json *);
void xfs_json_string(struct xfs_json *, const char *key, const char *text);	/* text NULL: null */
void xfs_json_bytes(struct xfs_json *, const char *key, const void *bytes, size_t len);
void xfs_json_hex(struct xfs_json *, const char *key, const void *bytes, size_t len);	/* "0aff", two digits a byte */
void xfs_json_u64(struct xfs_json *, const char *key, uint64_t v);
void xfs_json_i64(struct xfs_json *, const char *key, int64_t v);
void xfs_json_hex64(struct xfs_json *, const char *key, uint64_t v);	/* "0x58465342" */
void xfs_json_bool(struct xfs_json *, const char *key, bool v);
void xfs_json_null(struct xfs_json *, const char *key);

#endif

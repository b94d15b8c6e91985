/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - files and names in memory, as naive as can be: what operations of a script should do.
 *
 * Knows nothing of the library but its error codes.
 */
#ifndef TESTS_LIB_MODEL_H
#define TESTS_LIB_MODEL_H

#include "tests/lib/listing.h"
#include "tests/lib/script.h"

#define MODEL_NODES 400u
#define MODEL_ENTRIES 1200u
#define MODEL_ATTRS 8u

struct model_attr { char space[9], name[64]; uint64_t seed; uint32_t len; bool used; };
struct model_node {
	bool used, rewritten;	/* rewritten: `digest` is not of these bytes */
	uint16_t mode;
	uint32_t uid, gid, links, major, minor;
	uint64_t size, room;
	uint8_t *bytes;		/* `room` of them; those behind the size are zero. Symlinks: the target */
	struct model_node *parent;	/* of a directory */
	struct model_attr attrs[MODEL_ATTRS];
	char digest[65], attr_digest[65];
	bool attrs_changed;
};
struct model_entry { struct model_node *dir, *node; char name[256]; bool used; };

struct model {
	struct model_node nodes[MODEL_NODES];	/* the first one is the root */
	struct model_entry entries[MODEL_ENTRIES];
	uint32_t nnodes, nentries;		/* in use */
};

void model_init(struct model *);
void model_release(struct model *);
/* Does it. 0 or the error that the library should return. */
int model_apply(struct model *, const struct fsx_op *);
/* NULL: nothing of that name. */
struct model_node *model_find(struct model *, const char *path);
/* Path of an entry; true when it is not longer than `room`. */
bool model_path(const struct model *, const struct model_entry *, char *path, size_t room);
bool model_is_dir(const struct model_node *);
/* The listing's tags are the nodes. */
void model_list(struct model *, struct listing *);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* list-owners.c - who owns each block of an image: list-owners IMAGE [BLOCK [COUNT]] */
#include <xfskit/xfskit.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int show(void *payload, const struct xfskit_owner *o)
{
	char path[4096] = "";

	if (o->owner > 0)
		xfskit_path(payload, (uint64_t)o->owner, path, sizeof(path));
	printf("%" PRIu64 " +%" PRIu64 " owner %" PRId64 " offset %" PRIu64 "%s%s%s %s\n", o->block, o->count, o->owner,
	       o->offset, o->flags & XFSKIT_ATTR ? " attr" : "", o->flags & XFSKIT_BMBT ? " bmbt" : "",
	       o->flags & XFSKIT_UNWRITTEN ? " unwritten" : "", path);
	return 0;
}

int main(int argc, char **argv)
{
	struct xfskit_info info;
	struct xfskit *fs;
	int error = argc < 2 ? -1 : xfskit_open(&fs, argv[1], 0);

	if (error) {
		fprintf(stderr, "list-owners: %s: %s\n", argc < 2 ? "no image given" : argv[1], xfs_error_text(error));
		return 1;
	}
	error = xfskit_info(fs, &info);
	if (!error)
		error = xfskit_owners(fs, argc > 2 ? strtoull(argv[2], NULL, 0) : 0,
				      argc > 3 ? strtoull(argv[3], NULL, 0) : argc > 2 ? 1 : info.blocks, show, fs);
	if (error)
		fprintf(stderr, "list-owners: %s: %s\n", argv[1], xfs_error_text(error));
	xfskit_close(fs);
	return error ? 1 : 0;
}

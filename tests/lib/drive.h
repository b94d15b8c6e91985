/* SPDX-License-Identifier: BSD-2-Clause */
/* drive.h - operations of scripts, done to an image by the library. */
#ifndef TESTS_LIB_DRIVE_H
#define TESTS_LIB_DRIVE_H

#include "libxfs/transaction/names.h"
#include "tests/lib/script.h"

struct drive {
	struct xfs_devset set;
	struct xfs_fs *fs;
	struct xfs_edit *edit;
	struct xfs_dev_fault plan;	/* of a device above the image; the caller fills it before drive_open() */
	const char *base;		/* not NULL: all happens in memory above this image, which stays as it is */
	struct xfs_dev *memory;		/* internal: that */
	char finding[400];		/* the last one that the library reported */
};

/* The image's device in d->set.data gets the fault device above. */
int drive_attach(struct drive *, const char *image);
/* With `base`: writes what is there now to the new image. */
int drive_save(struct drive *, const char *image);
/* And all is opened. `options` NULL: direct. */
int drive_open(struct drive *, const char *image, const struct xfs_edit_options *options);
/* What was not synced is lost. */
void drive_close(struct drive *);
/* Error of the library. */
int drive_do(struct drive *, const struct fsx_op *);

#endif

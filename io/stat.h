/* SPDX-License-Identifier: BSD-2-Clause */
/* stat.h - what stat and statx print alike. Layer: tool. */
#ifndef XFSKIT_IO_STAT_H
#define XFSKIT_IO_STAT_H

#include "io/io.h"

/* "regular file" */
const char *io_type_name(mode_t mode);
/* "stat.NAME = Thu Jan  1 00:00:00 1970" */
void io_print_ctime(const char *name, int64_t seconds);
/* fd.path and fd.flags */
void io_print_opened(const struct io_file *f);
/* fsxattr.* and dioattr.*, as far as the filesystem has them. */
void io_print_xattr(const struct io_file *f, bool verbose);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * content.h - what the forks of an inode say about its core: type, size, where the attribute fork starts.
 *
 * All take the core as it is (native) and the inode's bytes; nothing is trusted before it was checked.
 */
#ifndef REPAIR_CONTENT_H
#define REPAIR_CONTENT_H

#include "repair/forks.h"

/* By its counters; blocks of an attribute fork with extents stand in nblocks too, and are taken for all of them. */
bool repair_data_has_blocks(const struct xfs_dinode *);
/* Type bits of the mode by what the data fork holds; 0: nothing tells. Reads the first block of a mapped fork. */
unsigned repair_content_type(struct repair *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image);
/* The same for one block of a file: directory or symlink when it names itself so and this owner (V5); else 0. */
unsigned repair_block_type(struct repair *, uint64_t ino, uint64_t fsbno);
/* Bytes of a short directory in the data fork; 0 when there is none. */
uint32_t repair_short_dir_size(const struct repair *, const struct xfs_dinode *, const uint8_t *image);
/* Bytes up to the first zero byte in the data fork, at most a symlink's longest target. */
uint32_t repair_text_size(const struct repair *, const struct xfs_dinode *, const uint8_t *image);
/* Length of a target in blocks by their headers (V5) or its first zero byte; the old size when nothing tells. */
uint64_t repair_symlink_size(struct repair *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image);
/* End of the last mapping in bytes. */
uint64_t repair_mapped_size(struct repair *, uint64_t ino, const struct xfs_dinode *, const uint8_t *image);

/* Both forks can be what their formats and counters say, as far as the inode's bytes tell. */
bool repair_forks_plausible(const struct repair *, const struct xfs_dinode *, const uint8_t *image);
/* A start of the attribute fork with which they are; false: none, or more than the bytes can decide. */
bool repair_find_forkoff(const struct repair *, const struct xfs_dinode *, const uint8_t *image, uint8_t *forkoff);
/* Both start and format of an attribute fork that certainly is one. */
bool repair_find_attr_fork(const struct repair *, const struct xfs_dinode *, const uint8_t *image, uint8_t *aformat,
			   uint8_t *forkoff);
/* Another format of the attribute fork with which both forks are, and something is in it. */
bool repair_find_aformat(const struct repair *, const struct xfs_dinode *, const uint8_t *image, uint8_t *aformat);
/* A start of the attribute fork with which it is a short list that holds a parent pointer. */
bool repair_find_pointers(const struct repair *, const struct xfs_dinode *, const uint8_t *image, uint8_t *forkoff);

#endif

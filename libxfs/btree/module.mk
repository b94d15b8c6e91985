# SPDX-License-Identifier: BSD-2-Clause
# btree: the engine (reading, checking, loading) and the record codecs of the trees
libxfs_SRCS += \
	libxfs/btree/block.c \
	libxfs/btree/bulk.c \
	libxfs/btree/cursor.c \
	libxfs/btree/delete.c \
	libxfs/btree/geometry.c \
	libxfs/btree/insert.c \
	libxfs/btree/node.c \
	libxfs/btree/plant.c \
	libxfs/btree/ptrset.c \
	libxfs/btree/query.c \
	libxfs/btree/verify.c \
	libxfs/btree/walk.c \
	libxfs/btree/kinds/bmbt.c \
	libxfs/btree/kinds/bnobt.c \
	libxfs/btree/kinds/cntbt.c \
	libxfs/btree/kinds/inobt.c \
	libxfs/btree/kinds/refcountbt.c \
	libxfs/btree/kinds/rmapbt.c \
	libxfs/btree/kinds/table.c

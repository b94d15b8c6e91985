libxfs_SRCS += \
	libxfs/space/agfl.c \
	libxfs/space/agspace.c \
	libxfs/space/alloc.c \
	libxfs/space/choose.c \
	libxfs/space/claims.c \
	libxfs/space/claims_alloc.c \
	libxfs/space/claims_order.c \
	libxfs/space/claims_spill.c \
	libxfs/space/claims_sweep.c \
	libxfs/space/freespace.c \
	libxfs/space/refcount.c \
	libxfs/space/refcount_cow.c \
	libxfs/space/refcount_find.c \
	libxfs/space/reserve.c \
	libxfs/space/rmap.c \
	libxfs/space/rmap_convert.c \
	libxfs/space/rmap_find.c \
	libxfs/space/rmap_query.c \
	libxfs/space/share.c \
	libxfs/space/sweep.c \
	libxfs/space/work.c

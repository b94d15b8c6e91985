/* SPDX-License-Identifier: BSD-2-Clause */
/* inject.c - inject: makes a kernel that was built for debugging fail on purpose. */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <string.h>
#include <sys/ioctl.h>

/* The kernel's numbers are the places in this list. */
static const char *const tags[] = {
	"noerror", "iflush1", "iflush2", "iflush3", "iflush4", "iflush5", "iflush6", "dareadbuf", "btree_chk_lblk",
	"btree_chk_sblk", "readagf", "readagi", "itobp", "iunlink", "iunlinkrm", "dirinovalid", "bulkstat", "logiodone",
	"stratread", "stratcmpl", "diowrite", "bmapifmt", "free_extent", "rmap_finish_one", "refcount_continue_update",
	"refcount_finish_one", "bmap_finish_one", "ag_resv_critical", "drop_writes", "log_bad_crc", "log_item_pin",
	"buf_lru_ref", "force_repair", "bad_summary", "iunlink_fallback", "buf_ioerror", "reduce_max_iextents",
	"bmap_alloc_minlen_extent", "ag_resv_fail", "larp", "da_leaf_split", "attr_leaf_to_node", "wb_delay_ms",
	"write_delay_ms", "exchmaps_finish_one", "metafile_resv_crit",
};
#define TAGS (sizeof(tags) / sizeof(tags[0]))

static void list_tags(void)
{
	printf("tags: [ ");
	for (size_t i = 0; i < TAGS; i++)
		printf("%s%s", tags[i], i + 1 == TAGS ? " ]\n" : i % 5 == 4 ? ", \n\t" : ", ");
}

static int inject_run(struct io *io, struct io_call *c)
{
	if (c->argc == 0) {
		list_tags();
		return IO_OK;
	}
	int fd = io_current(io)->fd;
	for (int i = 0; i < c->argc; i++) {
		struct xfs_error_injection e = { .fd = fd };
		size_t t = 0;
		while (t < TAGS && strcmp(tags[t], c->argv[i]))
			t++;
		if (t == TAGS) {
			fprintf(stderr, "no such tag -- %s\n", c->argv[i]);
			return IO_FAIL;
		}
		e.tag = (int32_t)t;
		if (ioctl(fd, XFS_IOCTL_INJECT, &e) < 0)
			return io_perror("XFS_IOC_ERROR_INJECTION");
	}
	return IO_OK;
}

const struct io_command io_inject_commands[] = {
	{ .name = "inject", .args = "[tag ...]", .oneline = "let the kernel (built for debugging) fail; list the tags",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_ONESHOT | IO_EXPERT, .run = inject_run },
	{ 0 },
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fsmap.c - fsmap: who owns each block of the filesystem, by the GETFSMAP ioctl (format sheet 09, section 7).
 *
 * The kernel fills a buffer of records from a low key up to a high key; the next call's low key is the last record it
 * gave, whole, and the record with FMR_OF_LAST ends the list.
 */
#include "io/fsmap.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DEFAULT_RECORDS 2048
#define MAX_RECORDS (UINT32_C(1) << 22)

enum fsmap_device { DEVICE_ANY, DEVICE_DATA, DEVICE_LOG, DEVICE_RT };

struct fsmap_opts {
	int64_t count;
	int device;			/* enum fsmap_device */
	unsigned devices;		/* how often one was given */
	bool machine, json, sums;
	unsigned verbose;
};
#define AT(field) offsetof(struct fsmap_opts, field)

static const struct io_opt fsmap_options[] = {
	{ 'd', IO_OPT_SET, AT(device), DEVICE_DATA, NULL, "only the data device", NULL },
	{ 'l', IO_OPT_SET, AT(device), DEVICE_LOG, NULL, "only the external log", NULL },
	{ 'r', IO_OPT_SET, AT(device), DEVICE_RT, NULL, "only the realtime device", NULL },
	{ 'm', IO_OPT_FLAG, AT(machine), 0, NULL, "comma separated values", NULL },
	{ 'v', IO_OPT_COUNT, AT(verbose), 0, NULL, "long listing with allocation groups and flags", NULL },
	{ 'n', IO_OPT_SIZE, AT(count), 0, "nx", "ask for nx records at a time", "extent count" },
	{ 'j', IO_OPT_FLAG, AT(json), 0, NULL, "one JSON object a line, sizes in bytes", NULL },
	{ 's', IO_OPT_FLAG, AT(sums), 0, NULL, "sums by kind of owner: extents, blocks, largest extent (-j: JSON)",
	  NULL },
	{ 0 },
};

static const char *const fsmap_names[] = {
	[XFS_FSMAP_FS] = "static fs metadata", [XFS_FSMAP_LOG] = "journalling log", [XFS_FSMAP_AG] = "per-AG metadata",
	[XFS_FSMAP_INOBT] = "inode btree", [XFS_FSMAP_INODES] = "inodes", [XFS_FSMAP_REFC] = "refcount btree",
	[XFS_FSMAP_COW] = "cow reservation", [XFS_FSMAP_DEFECTIVE] = "defective",
};

const char *fsmap_owner_name(uint64_t owner)
{
	uint64_t type = owner >> 32, code = owner & UINT32_MAX;
	if (owner == FMR_OWN_FREE)
		return "free space";
	if (owner == FMR_OWN_UNKNOWN)
		return "unknown";
	if (owner == FMR_OWN_METADATA)
		return "static fs metadata";
	if (type == 'X' && code > 0 && code < sizeof(fsmap_names) / sizeof(fsmap_names[0]))
		return fsmap_names[code];
	return NULL;
}

const char *fsmap_special_text(uint64_t owner, char text[IO_TEXT_SIZE])
{
	const char *name = fsmap_owner_name(owner);
	if (name)
		return name;
	snprintf(text, IO_TEXT_SIZE, "special %u:%u", (unsigned)(owner >> 32), (unsigned)(owner & UINT32_MAX));
	return text;
}

/* --- devices --- */

/* Value of the mount option `key=` of the filesystem with device dev; false when there is none. */
static bool mount_option(dev_t dev, const char *key, char *value, size_t size)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0, len = strlen(key);
	bool found = false;
	while (f && !found && getline(&line, &room, f) > 0) {
		unsigned maj, min;
		char *save, *opts = strstr(line, " - ");
		if (sscanf(line, "%*s %*s %u:%u", &maj, &min) != 2 || makedev(maj, min) != dev || !opts)
			continue;
		opts = strrchr(opts, ' ');
		for (char *o = strtok_r(opts, " ,\n", &save); o && !found; o = strtok_r(NULL, " ,\n", &save))
			if (!strncmp(o, key, len) && o[len] == '=') {
				snprintf(value, size, "%s", o + len + 1);
				found = true;
			}
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Number of the wanted device as the kernel has it in records; 0: the filesystem has no such device. */
static uint32_t device_number(int fd, int which, const struct xfs_fs_geometry *g, bool internal_rt)
{
	struct stat st, other;
	char path[4096];
	(void)g;
	if (internal_rt)
		return (uint32_t)which;		/* numbers 1 to 3 instead of devices */
	if (fstat(fd, &st) < 0)
		return 0;
	if (which == DEVICE_DATA)
		return (uint32_t)st.st_dev;
	if (!mount_option(st.st_dev, which == DEVICE_LOG ? "logdev" : "rtdev", path, sizeof(path)) ||
	    stat(path, &other) < 0)
		return 0;
	return (uint32_t)other.st_rdev;
}

/* --- the query --- */

static void set_keys(struct fsmap_head *head, uint32_t low_device, uint32_t high_device, uint64_t start, uint64_t end)
{
	struct fsmap *low = &head->fmh_keys[0], *high = &head->fmh_keys[1];
	memset(head, 0, sizeof(*head));
	low->fmr_device = low_device;
	low->fmr_physical = start;
	high->fmr_device = high_device;
	high->fmr_physical = end;
	high->fmr_owner = UINT64_MAX;
	high->fmr_flags = UINT32_MAX;
	high->fmr_offset = UINT64_MAX;
}

static int query_failed(const struct io *io, const struct io_file *f, const struct fsmap_head *head)
{
	fprintf(stderr, "%s: xfsctl(XFS_IOC_GETFSMAP) iflags=0x%x [\"%s\"]: %s\n", io->prog, head->fmh_iflags, f->name,
		strerror(errno));
	return IO_FAIL;
}

/* Runs the query to its end and hands every record to the printer. */
static int run_query(struct io *io, struct fsmap_head *head, struct fsmap_printer *p)
{
	const struct io_file *f = io_current(io);
	uint64_t index = 0;
	bool begun = false;
	for (;;) {
		if (ioctl(f->fd, FS_IOC_GETFSMAP, head) < 0) {
			io_out_flush(&p->out);
			return query_failed(io, f, head);
		}
		uint32_t n = head->fmh_entries < head->fmh_count ? head->fmh_entries : head->fmh_count;
		if (n == 0)
			break;
		p->batch(p, head->fmh_recs, n, !begun);
		begun = true;
		for (uint32_t i = 0; i < n; i++)
			p->row(p, &head->fmh_recs[i], index++);
		if (head->fmh_recs[n - 1].fmr_flags & FMR_OF_LAST)
			break;
		head->fmh_keys[0] = head->fmh_recs[n - 1];
	}
	if (!begun)
		p->batch(p, NULL, 0, true);
	p->end(p);
	io_out_flush(&p->out);
	return IO_OK;
}

static bool get_bound(const struct io *io, const char *text, const char *which, uint64_t *bytes)
{
	int64_t v;
	uint64_t product;
	if (io_parse_size(&io->files[io->current], text, &v) && v >= 0 &&
	    !__builtin_mul_overflow((uint64_t)v, UINT64_C(512), &product)) {
		*bytes = product;
		return true;
	}
	fprintf(stderr, "Bad rmap %s_bblock %s.\n", which, text);
	return false;
}

static bool options_fit(const struct io_call *c, const struct fsmap_opts *o)
{
	unsigned devices = io_seen(c, 'd') + io_seen(c, 'l') + io_seen(c, 'r');
	unsigned forms = (o->machine != 0) + (o->verbose != 0) + (o->json || o->sums);
	return devices <= 1 && forms <= 1 && c->argc <= 2 && !(c->argc && o->device == DEVICE_ANY);
}

static struct fsmap_printer *choose_printer(const struct fsmap_opts *o)
{
	if (o->sums)
		return fsmap_sums_new(o->json);
	if (o->json)
		return fsmap_json_new();
	if (o->machine)
		return fsmap_csv_new();
	return o->verbose ? fsmap_long_new() : fsmap_plain_new();
}

/* Fills what the long listing needs; false after a message. */
static bool get_geometry(struct io *io, const struct fsmap_opts *o, struct xfs_fs_geometry *g,
	struct fsmap_geometry *out)
{
	const struct io_file *f = io_current(io);
	struct stat st;
	if (ioctl(f->fd, XFS_IOCTL_FSGEOMETRY, g) < 0) {
		memset(g, 0, sizeof(*g));
		if (!o->verbose)
			return true;
		fprintf(stderr, "%s: can't get geometry [\"%s\"]: %s\n", io->prog, f->name, strerror(errno));
		return false;
	}
	uint64_t sectors = g->blocksize / 512;
	out->known = fstat(f->fd, &st) == 0;
	out->data_device = g->rtstart ? DEVICE_DATA : (uint32_t)st.st_dev;
	out->ag_sectors = g->agblocks * sectors;
	out->stripe_unit = g->sunit * sectors;
	out->stripe_width = g->swidth * sectors;
	return true;
}

static int fsmap_run(struct io *io, struct io_call *c)
{
	const struct fsmap_opts *o = c->opts;
	struct xfs_fs_geometry g;
	struct fsmap_geometry geometry = { 0 };
	uint64_t start = 0, end = UINT64_MAX;
	uint32_t low = 0, high = UINT32_MAX;

	if (!options_fit(c, o))
		return io_usage(c);
	if ((c->argc > 0 && !get_bound(io, c->argv[0], "start", &start)) ||
	    (c->argc > 1 && !get_bound(io, c->argv[1], "end", &end)))
		return IO_FAIL;
	if (!get_geometry(io, o, &g, &geometry))
		return IO_FAIL;
	if (o->device != DEVICE_ANY)
		low = high = device_number(io_current(io)->fd, o->device, &g, g.rtstart != 0);
	uint32_t records = o->count > 0 && o->count <= MAX_RECORDS ? (uint32_t)o->count : DEFAULT_RECORDS;
	struct fsmap_head *head = malloc(fsmap_sizeof(records));
	struct fsmap_printer *p = choose_printer(o);
	int res = IO_FAIL;
	if (!head || !p) {
		io_perror("fsmap");
		goto out;
	}
	p->geometry = geometry;
	set_keys(head, low, high, start, end);
	head->fmh_count = records;
	res = run_query(io, head, p);
out:
	free(p);
	free(head);
	return res;
}

const struct io_command io_fsmap_commands[] = {
	{ .name = "fsmap", .args = "[-d|-l|-r] [-m|-v|-j|-s] [-n nx] [start] [end]",
	  .oneline = "list the owners of all blocks of the filesystem", .opts = fsmap_options,
	  .about = " Each line: extent: major:minor [first..last]: owner file-offsets length, in 512-byte blocks.\n"
		" start and end (512-byte blocks) need one of -d, -l, -r. "
		"Blocks that files share appear once for each.\n",
		.argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = fsmap_run },
	{ 0 },
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* devices.c - sizes, sectors, stripes and signatures of the devices (format sheet 05, section 6). */
#include "mkfs/devices.h"

#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a filesystem demands of direct I/O: memory alignment, smallest and largest transfer. */
struct direct_io {
	uint32_t memory, smallest, largest;
};
#define DIRECT_IO_GET _IOR('X', 30, struct direct_io)

static uint32_t file_sector(const char *path)
{
	struct direct_io dio;
	uint32_t sect = 512;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return sect;
	if (ioctl(fd, DIRECT_IO_GET, &dio) == 0 && dio.smallest >= 512 && dio.smallest <= 32768)
		sect = dio.smallest;
	close(fd);
	return sect;
}

static int probe_block(const struct mkfs_options *o, const char *path, struct mkfs_disk *disk, struct mkfs_error *err)
{
	blkid_probe pr = blkid_new_probe_from_filename(path);
	blkid_topology tp = pr ? blkid_probe_get_topology(pr) : NULL;
	unsigned long offset;
	unsigned short rotational = 1;
	int fd;

	if (!pr)
		return mkfs_fail(err, false, "mkfs.xfs: cannot open %s: %s", path, strerror(errno));
	fd = blkid_probe_get_fd(pr);
	disk->size = (uint64_t)blkid_probe_get_size(pr);
	disk->lsect = disk->psect = blkid_probe_get_sectorsize(pr);
	disk->solid = ioctl(fd, BLKROTATIONAL, &rotational) == 0 && rotational == 0;
	if (tp) {
		disk->lsect = (uint32_t)blkid_topology_get_logical_sector_size(tp);
		disk->psect = (uint32_t)blkid_topology_get_physical_sector_size(tp);
		disk->sunit = (uint32_t)(blkid_topology_get_minimum_io_size(tp) / 512);
		disk->swidth = (uint32_t)(blkid_topology_get_optimal_io_size(tp) / 512);
		if (disk->sunit * 512 == disk->psect || disk->swidth * 512 == disk->psect)
			disk->sunit = disk->swidth = 0;
	}
	offset = tp ? blkid_topology_get_alignment_offset(tp) : 0;
	blkid_free_probe(pr);
	if (offset == 0)
		return 0;
	fprintf(stderr, "warning: device is not properly aligned %s\n", path);
	if (!o->force)
		return mkfs_fail(err, false, "Use -f to force usage of a misaligned device");
	disk->psect = disk->lsect;
	return 0;
}

/* `file`: option that says it is a file to be made; `size`: option with its size */
static int probe(const struct mkfs_options *o, const char *path, enum mkfs_option file, enum mkfs_option size,
		 struct mkfs_disk *disk, bool *block, struct mkfs_error *err)
{
	bool make = o->v[file].set && o->v[file].n;
	static const char *const letters[] = { "d", "l", "r" };
	const char *letter = letters[file == MO_D_FILE ? 0 : file == MO_L_FILE ? 1 : 2];
	struct stat st;

	disk->present = true;
	if (make && !o->v[size].set)
		return mkfs_fail(err, true, "if -%s file then -%s name and -%s size are required", letter, letter,
				letter);
	if (stat(path, &st)) {
		if (!make || errno != ENOENT)
			return mkfs_fail(err, true, "Error accessing specified device %s: %s", path, strerror(errno));
		disk->growable = true;
		disk->lsect = disk->psect = 512;
		return 0;
	}
	if (S_ISBLK(st.st_mode)) {
		if (make)
			return mkfs_fail(err, true, "specified \"-%s file\" on a block device %s", letter, path);
		*block = true;
		return probe_block(o, path, disk, err);
	}
	if (!S_ISREG(st.st_mode))
		return mkfs_fail(err, true, "specified device %s not a file or block device", path);
	disk->growable = make || st.st_size == 0;
	disk->size = make ? 0 : (uint64_t)st.st_size;
	disk->lsect = disk->psect = file_sector(path);
	return 0;
}

static void pretend(struct mkfs_disk *disk, uint64_t size)
{
	*disk = (struct mkfs_disk){ .present = true, .size = size, .lsect = 512, .psect = 512 };
}

int mkfs_devices_probe(const struct mkfs_options *o, struct mkfs_devices *d, struct mkfs_device_facts *facts,
		       struct mkfs_error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	bool rt_block = false;

	facts->cpus = cpus > 0 ? (unsigned)cpus : 1;
	d->data_name = o->v[MO_D_NAME].text;
	d->log_name = o->v[MO_L_LOGDEV].set ? o->v[MO_L_LOGDEV].text : o->v[MO_L_NAME].text;
	d->rt_name = o->v[MO_R_RTDEV].set ? o->v[MO_R_RTDEV].text : o->v[MO_R_NAME].text;
	if (o->test_overlay)
		pretend(&facts->data, o->test_overlay);
	else if (probe(o, d->data_name, MO_D_FILE, MO_D_SIZE, &facts->data, &d->data_block, err))
		return -1;
	if (d->log_name && o->test_log_overlay)
		pretend(&facts->log, o->test_log_overlay);
	else if (d->log_name && probe(o, d->log_name, MO_L_FILE, MO_L_SIZE, &facts->log, &d->log_block, err))
		return -1;
	if (d->rt_name)
		return probe(o, d->rt_name, MO_R_FILE, MO_R_SIZE, &facts->rt, &rt_block, err);
	return 0;
}

/* --- mounted, used --- */

static int check_signature(const char *path, struct mkfs_error *err)
{
	blkid_probe pr = blkid_new_probe_from_filename(path);
	char what[200] = "";
	const char *type;
	int found = -1;

	if (pr && blkid_probe_get_size(pr) == 0) {
		blkid_free_probe(pr);
		return 0;
	}
	if (pr && blkid_probe_enable_partitions(pr, 1) == 0)
		found = blkid_do_fullprobe(pr);
	if (found < 0)
		snprintf(what, sizeof(what), "mkfs.xfs: probe of %.120s failed, cannot detect existing filesystem.",
				path);
	else if (found > 0)
		;
	else if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL) == 0)
		snprintf(what, sizeof(what), "mkfs.xfs: %.120s appears to contain an existing filesystem (%s).", path,
				type);
	else if (blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL) == 0)
		snprintf(what, sizeof(what), "mkfs.xfs: %.120s appears to contain a partition table (%s).", path, type);
	else
		snprintf(what, sizeof(what), "mkfs.xfs: %.120s appears to contain something weird according to blkid",
				path);
	blkid_free_probe(pr);
	if (!*what)
		return 0;
	return mkfs_fail(err, false, "%s\nmkfs.xfs: Use the -f option to force overwrite.", what);
}

int mkfs_devices_check(const struct mkfs_options *o, const struct mkfs_devices *d, struct mkfs_error *err)
{
	const char *const names[] = { o->test_overlay ? NULL : d->data_name, o->test_log_overlay ? NULL : d->log_name,
			d->rt_name };

	for (size_t i = 0; i < XFS_ARRAY_SIZE(names); i++)
		if (names[i] && xfs_dev_is_mounted(names[i]))
			return mkfs_fail(err, true, "mkfs.xfs: %s contains a mounted filesystem", names[i]);
	if (o->force || o->test_overlay || (o->v[MO_D_FILE].set && o->v[MO_D_FILE].n))
		return 0;
	return check_signature(d->data_name, err);
}

/* --- opening --- */

static int open_one(struct xfs_dev **out, const char *path, bool block, bool files, bool make, uint64_t size,
		    struct mkfs_error *err)
{
	unsigned flags = XFS_DEV_EXCLUSIVE | (make ? XFS_DEV_CREATE | XFS_DEV_TRUNCATE : 0) | (block && !files
			? XFS_DEV_DIRECT : 0);
	int code, number = 0;

	code = xfs_dev_file(out, path, flags, block ? 0 : size, &number);
	if (!code)
		return 0;
	return mkfs_fail(err, false, "mkfs.xfs: cannot open %s: %s", path, number
			? strerror(number) : xfs_error_text(code));
}

int mkfs_devices_open(const struct mkfs_options *o, const struct mkfs_geometry *g, struct mkfs_devices *d,
		      struct mkfs_error *err)
{
	bool files = !d->data_block || (d->log_name && !d->log_block);
	bool make = o->v[MO_D_FILE].set && o->v[MO_D_FILE].n, make_log = o->v[MO_L_FILE].set && o->v[MO_L_FILE].n;
	uint64_t log_size = (uint64_t)g->sb.logblocks * g->sb.blocksize;

	if (o->test_overlay) {
		if (xfs_dev_overlay(&d->data, NULL, o->test_overlay, 256 << 20, NULL))
			return mkfs_fail(err, false, "mkfs.xfs: out of memory");
	} else if (open_one(&d->data, d->data_name, d->data_block, files, make, g->data_size, err)) {
		return -1;
	}
	if (!d->log_name)
		return 0;
	if (o->test_log_overlay) {
		if (xfs_dev_overlay(&d->log, NULL, o->test_log_overlay, 256 << 20, NULL))
			return mkfs_fail(err, false, "mkfs.xfs: out of memory");
		return 0;
	}
	return open_one(&d->log, d->log_name, d->log_block, files, make_log, log_size, err);
}

void mkfs_devices_close(struct mkfs_devices *d)
{
	xfs_dev_close(d->data);
	xfs_dev_close(d->log);
	d->data = d->log = NULL;
}

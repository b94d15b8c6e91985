/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - mkfs.xfs: options, devices, geometry, table, writing; the only file that prints and exits. */
#include "mkfs/devices.h"
#include "mkfs/write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uuid.h>

/* The version whose command line and defaults these are; scripts parse the line. */
#define COMPATIBLE_VERSION "6.15.0"

static int complain(const struct mkfs_error *err)
{
	fprintf(stderr, "%s\n", err->text);
	if (err->usage)
		mkfs_print_usage(stderr);
	return EXIT_FAILURE;
}

/* A prototype must be there, though nothing is made of it yet. */
static int check_prototype(const char *path, struct mkfs_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return mkfs_fail(err, false, "mkfs.xfs: failed to open %s: %s", path, strerror(errno));
	close(fd);
	return 0;
}

static void print_table(const struct mkfs_geometry *g, const struct mkfs_devices *d)
{
	char table[4000];

	mkfs_format_table(table, sizeof(table), &g->sb, d->data_name, d->log_name, d->rt_name);
	fputs(table, stdout);
	fflush(stdout);
}

/* For tests: every number of the superblock by its name in the table. */
static void print_superblock(const struct xfs_sb *sb)
{
	uint8_t raw[sizeof(struct xfs_sb_disk)] = { 0 };

	xfs_sb_encode(raw, sb);
	for (uint32_t i = 0; i < xfs_sb_desc.nrows; i++) {
		const struct xfs_row *row = &xfs_sb_desc.rows[i];

		if (row->kind == XR_BITS)
			printf("sb_%s=%" PRIu64 "\n", row->name, xfs_bits_get(raw, row->bit, row->bits,
					row->order == XO_LE));
	}
}

static int read_back(struct mkfs_devices *d, const struct mkfs_geometry *g, struct mkfs_error *err)
{
	uint8_t *sector = malloc(g->sb.sectsize);
	struct xfs_sb sb;
	int code = sector ? xfs_dev_read(d->data, 0, sector, g->sb.sectsize) : -XFS_E_NOMEM;

	if (!code) {
		xfs_sb_decode(&sb, sector);
		print_superblock(&sb);
	}
	free(sector);
	return code ? mkfs_fail(err, false, "mkfs.xfs: %s: %s", d->data_name, xfs_error_text(code)) : 0;
}

static int make(const struct mkfs_options *o, const struct mkfs_geometry *g, struct mkfs_devices *d,
		struct mkfs_error *err)
{
	int failed;

	if (g->later)
		return mkfs_fail(err, false, "mkfs.xfs: %s comes with a later version; -N shows the geometry",
				g->later);
	failed = mkfs_devices_open(o, g, d, err) || mkfs_write(o, g, d, err) || (o->test_sb && read_back(d, g, err));
	mkfs_devices_close(d);
	return failed ? -1 : 0;
}

static bool minimums_lifted(const struct mkfs_options *o)
{
	return o->unsupported || (getenv("TEST_DIR") && getenv("TEST_DEV") && getenv("QA_CHECK_FS"));
}

static int run(const struct mkfs_options *o, struct mkfs_error *err)
{
	struct mkfs_device_facts facts = { .small_allowed = minimums_lifted(o) };
	struct mkfs_devices d = { 0 };
	struct mkfs_geometry g;

	uuid_generate(facts.uuid);
	if (o->v[MO_P_FILE].set && check_prototype(o->v[MO_P_FILE].text, err))
		return -1;
	if (mkfs_devices_probe(o, &d, &facts, err))
		return -1;
	if (mkfs_geometry_compute(o, &facts, &g, err)) {
		fputs(g.warnings, stderr);
		fputs(g.notes, stdout);
		return -1;
	}
	if (mkfs_devices_check(o, &d, err))
		return -1;
	fputs(g.warnings, stderr);
	fputs(g.notes, stdout);
	if (!o->quiet || o->dry_run)
		print_table(&g, &d);
	if (o->dry_run) {
		if (o->test_sb)
			print_superblock(&g.sb);
		return 0;
	}
	return make(o, &g, &d, err);
}

int main(int argc, char **argv)
{
	struct mkfs_options *o = calloc(1, sizeof(*o));
	struct mkfs_error err = { "", false };
	bool config_read;
	int status = EXIT_SUCCESS;

	if (!o)
		return EXIT_FAILURE;
	if (argv[0] && strrchr(argv[0], '/'))
		argv[0] = strrchr(argv[0], '/') + 1;	/* what getopt calls us */
	if (mkfs_options_parse(o, argc, argv, &config_read, &err)) {
		status = complain(&err);
	} else if (o->version) {
		printf("mkfs.xfs version " COMPATIBLE_VERSION "\n");
	} else if (o->help) {
		mkfs_print_help(stdout);
	} else {
		if (config_read)
			printf("Parameters parsed from config file %s successfully\n", o->config);
		fflush(stdout);
		if (run(o, &err))
			status = complain(&err);
	}
	mkfs_options_release(o);
	free(o);
	return fflush(stdout) ? EXIT_FAILURE : status;
}

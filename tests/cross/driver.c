/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.c - formats, damages, repairs and prints an image by a script; needs nothing but libc.
 *
 *	xfskit-driver SCRIPT IMAGE
 *
 * One command a line, '#' starts a comment:
 *	format SIZE OPTION...		a new filesystem of SIZE bytes with options of mkfs.xfs
 *	poke BYTE HEX			overwrites bytes
 *	zero BYTE LENGTH
 *	seal BYTE LENGTH CRCOFF		makes the checksum of a damaged structure right
 *	verify FINDINGS			checks without changing; the number of findings must be this ('-': at least one)
 *	repair				must end without anything unrepaired
 *	dump				superblock, AG headers and every tree block as text on stdout
 * The same script must give the same image and the same text on every architecture.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/device/device.h"
#include "libxfs/ondisk/print.h"
#include "mkfs/write.h"
#include "repair/repair.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 40

struct driver {
	const char *image;
	struct xfs_dev *dev;
	unsigned line;
};

static void __attribute__((noreturn)) fail(const struct driver *d, const char *what)
{
	fprintf(stderr, "xfskit-driver: line %u: %s\n", d->line, what);
	exit(1);
}

static uint64_t number(const struct driver *d, const char *text)
{
	char *end;
	uint64_t v = strtoull(text, &end, 0);

	if (*end || end == text)
		fail(d, "not a number");
	return v;
}

/* Configuration files need a library that this program does without. */
int mkfs_config_read(struct mkfs_options *o, const char *path, struct mkfs_error *err)
{
	(void)o;
	return mkfs_fail(err, false, "no configuration files here: %s", path);
}

static void format(struct driver *d, int n, char **w)
{
	struct mkfs_device_facts facts = { .cpus = 2, .small_allowed = true };
	struct mkfs_devices devices = { .data_name = d->image };
	struct mkfs_error err = { "", false };
	struct mkfs_options *o = calloc(1, sizeof(*o));
	struct mkfs_geometry g;
	char *args[MAX_WORDS + 2] = { "mkfs.xfs" };
	int argc = 1;
	bool config;

	if (!o)
		fail(d, "out of memory");
	facts.data = (struct mkfs_disk){ .present = true, .size = number(d, w[1]), .lsect = 512, .psect = 512 };
	for (int i = 2; i < n; i++)
		args[argc++] = w[i];
	args[argc++] = (char *)d->image;
	optind = 0;	/* parsing starts afresh */
	if (mkfs_options_parse(o, argc, args, &config, &err) || mkfs_geometry_compute(o, &facts, &g, &err))
		fail(d, err.text);
	xfs_dev_close(d->dev);
	remove(d->image);
	if (xfs_dev_file(&d->dev, d->image, XFS_DEV_CREATE | XFS_DEV_EXCLUSIVE, facts.data.size, NULL))
		fail(d, "cannot create the image");
	devices.data = d->dev;
	if (mkfs_write(o, &g, &devices, &err))
		fail(d, err.text);
	mkfs_options_release(o);
	free(o);
}

static void poke(struct driver *d, const char *at, const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *bytes = malloc(n + 1);

	for (size_t i = 0; bytes && i < n; i++) {
		unsigned byte = 0;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			fail(d, "not hex");
		bytes[i] = (uint8_t)byte;
	}
	if (!bytes || xfs_dev_write(d->dev, number(d, at), bytes, n))
		fail(d, "cannot write");
	free(bytes);
}

static void seal(struct driver *d, char **w)
{
	size_t len = (size_t)number(d, w[2]);
	uint8_t *bytes = malloc(len);

	if (!bytes || xfs_dev_read(d->dev, number(d, w[1]), bytes, len))
		fail(d, "cannot read");
	xfs_crc32c_store(bytes, len, (size_t)number(d, w[3]));
	if (xfs_dev_write(d->dev, number(d, w[1]), bytes, len))
		fail(d, "cannot write");
	free(bytes);
}

static void say_finding(void *payload, const struct xfs_finding *f)
{
	char buf[512];

	(void)payload;
	xfs_finding_format(f, buf, sizeof(buf));
	printf("  %s\n", buf);
}

static void check(struct driver *d, bool modify, const char *want)
{
	struct repair r = { .no_modify = !modify, .looking = !modify, .force_geometry = true, .leaf_slack = -1,
			    .node_slack = -1, .memory = (size_t)8 << 20, .name = d->image, .dev = { .data = d->dev },
			    .sink = { say_finding, NULL } };
	int error = repair_run(&r);

	printf("%s: %" PRIu64 " findings, %" PRIu64 " left\n", modify ? "repair" : "verify", r.findings, r.unfixed);
	if (error)
		fail(d, xfs_error_text(error));
	if (modify ? r.unfixed != 0 : *want == '-' ? !r.findings : r.findings != number(d, want))
		fail(d, "not the findings that the script wants");
	repair_release(&r);
}

/* ---- dump ---- */

static int to_stdout(void *payload, const char *text, size_t len)
{
	(void)payload;
	return fwrite(text, 1, len, stdout) == len ? 0 : -XFS_E_IO;
}

struct dump {
	struct xfs_fs *fs;
	const struct xfs_desc *desc;
};

static void print_object(struct xfs_fs *fs, const struct xfs_desc *desc, const uint8_t *p, size_t len)
{
	struct xfs_ctx ctx = fs->ctx;
	struct xfs_printer printer = { .sink = { to_stdout, NULL }, .crc = XFS_CRC_GOOD };

	ctx.p = p;
	ctx.len = len;
	xfs_print_all(&ctx, (struct xfs_place){ .desc = desc }, &printer);
}

static int print_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct dump *p = payload;

	printf("%s block %" PRIu64 " level %u\n", p->desc->name, ptr, level);
	print_object(p->fs, p->desc, data, p->fs->geo.blocksize);
	return 0;
}

static void dump_ag(struct xfs_fs *fs, xfs_agno_t agno)
{
	static const struct { enum xfs_btree_id id; const struct xfs_desc *desc; } trees[] = {
		{ XFS_BTREE_BNO, &xfs_bnobt_desc }, { XFS_BTREE_CNT, &xfs_cntbt_desc },
		{ XFS_BTREE_INO, &xfs_inobt_desc },
		{ XFS_BTREE_FINO, &xfs_finobt_desc }, { XFS_BTREE_RMAP, &xfs_rmapbt_desc },
		{ XFS_BTREE_REFC, &xfs_refcntbt_desc },
	};
	static const struct xfs_desc *const headers[] = { &xfs_sb_desc, &xfs_agf_desc, &xfs_agi_desc, &xfs_agfl_desc };

	printf("AG %" PRIu32 "\n", agno.v);
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(headers); i++) {
		uint8_t sector[4096];

		if (!xfs_dev_read(fs->dev.data, xfs_ag_header_daddr(&fs->geo, agno, i).v * XFS_BBSIZE, sector,
				  fs->geo.sectsize))
			print_object(fs, headers[i], sector, fs->geo.sectsize);
	}
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(trees); i++) {
		struct dump p = { fs, trees[i].desc };
		struct xfs_btree_walk walk = { .block = print_block, .payload = &p };
		struct xfs_btree bt;

		if (!xfs_fs_ag_btree(fs, agno, trees[i].id, &bt))
			xfs_btree_walk(&bt, &walk);
	}
}

static void dump(struct driver *d)
{
	struct xfs_devset set = { .data = d->dev };
	struct xfs_fs *fs;

	if (xfs_fs_open(&fs, &set, NULL, NULL))
		fail(d, "cannot open the filesystem");
	for (uint32_t i = 0; i < fs->geo.agcount; i++)
		dump_ag(fs, XFS_AGNO(i));
	xfs_fs_close(fs);
}

static void run_line(struct driver *d, char *line)
{
	char *w[MAX_WORDS] = { NULL };
	int n = 0;

	for (char *p = strtok(line, " \t\n"); p && n < MAX_WORDS && *p != '#'; p = strtok(NULL, " \t\n"))
		w[n++] = p;
	if (!n)
		return;
	if (!strcmp(w[0], "format") && n >= 2)
		format(d, n, w);
	else if (!strcmp(w[0], "poke") && n == 3)
		poke(d, w[1], w[2]);
	else if (!strcmp(w[0], "zero") && n == 3 && !xfs_dev_zero(d->dev, number(d, w[1]), number(d, w[2])))
		return;
	else if (!strcmp(w[0], "seal") && n == 4)
		seal(d, w);
	else if (!strcmp(w[0], "verify") && n == 2)
		check(d, false, w[1]);
	else if (!strcmp(w[0], "repair") && n == 1)
		check(d, true, NULL);
	else if (!strcmp(w[0], "dump") && n == 1)
		dump(d);
	else
		fail(d, "no such command, or it failed");
}

int main(int argc, char **argv)
{
	struct driver d = { 0 };
	FILE *script = argc == 3 ? fopen(argv[1], "r") : NULL;
	char line[1000];

	if (!script) {
		fprintf(stderr, "usage: xfskit-driver SCRIPT IMAGE\n");
		return 1;
	}
	d.image = argv[2];
	while (fgets(line, sizeof(line), script)) {
		d.line++;
		run_line(&d, line);
	}
	fclose(script);
	xfs_dev_close(d.dev);
	return fflush(stdout) ? 1 : 0;
}

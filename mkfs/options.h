/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - what the command line and the configuration file of mkfs.xfs say, from the table in options.def.
 *
 * Texts of values point into argv, or (configuration file) into memory that mkfs_options_release() frees.
 */
#ifndef MKFS_OPTIONS_H
#define MKFS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum mkfs_option {
#define OPTION(id, letter, name, type, low, high, none, flags, conflicts, help) MO_##id,
#include "mkfs/options.def"
	MO_COUNT
};

enum mkfs_option_type { MT_NUM, MT_SIZE, MT_LATE, MT_STR, MT_UUID, MT_CPUS, MT_FSCK, MT_NAMING, MT_PROTO };

struct mkfs_value {
	bool set;
	int64_t n;		/* number; CPUS: 1 = as many as online; FSCK 0..3; NAMING 2, or 3 for ci */
	const char *text;	/* as given */
};

struct mkfs_options {
	struct mkfs_value v[MO_COUNT];
	const char *config;	/* -c options=FILE */
	const char *label;	/* -L */
	bool force, keep, dry_run, quiet, version, help, unsupported;
	uint8_t uuid[16];	/* when v[MO_M_UUID] is set */
	/* not for users: see tests/cli */
	uint64_t test_overlay, test_log_overlay;	/* bytes of a device of zeroes instead of the real one */
	bool test_sb;
	char **owned;		/* texts from the configuration file */
	size_t nowned;
};

/* One line, and whether the usage text follows it. */
struct mkfs_error {
	char text[600];
	bool usage;
};

/* Sets the error; returns -1. */
int mkfs_fail(struct mkfs_error *, bool usage, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* 0, or -1 with *err set.  Reads the configuration file too; *config_read says that it was. */
int mkfs_options_parse(struct mkfs_options *, int argc, char **argv, bool *config_read, struct mkfs_error *err);
void mkfs_options_release(struct mkfs_options *);
/* One suboption, as on the command line: section letter, name, value (NULL = none). */
int mkfs_option_set(struct mkfs_options *, char letter, const char *name, const char *value, struct mkfs_error *err);
/* A LATE value, when block and sector size are known.  *n is set only when the option was given. */
int mkfs_option_late(const struct mkfs_options *, enum mkfs_option, uint32_t blocksize, uint32_t sectsize, int64_t *n,
		     struct mkfs_error *err);
/* Section letter of an ini section (case does not matter), 0 = unknown. */
char mkfs_section_letter(const char *ini_name);
/* Reads the configuration file: mkfs/config.c. */
int mkfs_config_read(struct mkfs_options *, const char *path, struct mkfs_error *err);
void mkfs_print_usage(FILE *);
void mkfs_print_help(FILE *);

#endif

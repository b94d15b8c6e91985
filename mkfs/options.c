/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - the parser of suboptions, numbers and switches, driven by options.def. */
#include "mkfs/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uuid.h>

#define MKFS_NEEDED INT64_MIN
#define POW2 1

static const struct mkfs_option_row {
	char letter;
	const char *name;
	enum mkfs_option_type type;
	int64_t low, high, none;
	int flags;
	const char *conflicts, *help;
} rows[] = {
#define OPTION(id, letter, name, type, low, high, none, flags, conflicts, help) \
	{ #letter[0], name, MT_##type, low, high, none, flags, conflicts, help },
#include "mkfs/options.def"
};

static const struct {
	char letter;
	const char *ini, *help;
} sections[] = {
#define SECTION(letter, ini, help) { #letter[0], ini, help },
#include "mkfs/options.def"
};

#define NSECTIONS (sizeof(sections) / sizeof(sections[0]))

int mkfs_fail(struct mkfs_error *err, bool usage, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	err->usage = usage;
	return -1;
}

char mkfs_section_letter(const char *ini_name)
{
	for (size_t i = 0; i < NSECTIONS; i++)
		if (strcasecmp(sections[i].ini, ini_name) == 0)
			return sections[i].letter;
	return 0;
}

/* --- numbers --- */

static int bad_value(struct mkfs_error *err, const struct mkfs_option_row *row, const char *text, const char *why)
{
	return mkfs_fail(err, true, "Invalid value %s for -%c %s option%s%s", text, row->letter, row->name,
			 *why ? ". " : "", why);
}

/* A number with at most one suffix letter; block and sector size 0 = that suffix is not known yet. */
static bool suffixed(const char *text, uint32_t blocksize, uint32_t sectsize, int64_t *out)
{
	static const char letters[] = "kmgtpe";
	int64_t n, unit = 1;
	const char *at;
	char *end, c;

	errno = 0;
	n = strtoll(text, &end, 0);
	if (end == text || errno)
		return false;
	if (*end) {
		c = (char)(*end | 0x20);
		at = strchr(letters, c);
		if (end[1])
			return false;
		if (c == 's')
			unit = sectsize;
		else if (c == 'b')
			unit = blocksize;
		else if (at)
			unit = INT64_C(1) << 10 * (at - letters + 1);
		else
			return false;
		if (unit == 0)
			return false;
	}
	return !__builtin_mul_overflow(n, unit, out);
}

static int check_range(const struct mkfs_option_row *row, const char *text, int64_t n, struct mkfs_error *err)
{
	if (n < row->low)
		return bad_value(err, row, text, "Value is too small.");
	if (n > row->high)
		return bad_value(err, row, text, "Value is too large.");
	if (row->flags & POW2 && (n & (n - 1)))
		return bad_value(err, row, text, "Value must be a power of 2.");
	return 0;
}

static int convert_size(const struct mkfs_option_row *row, const char *text, uint32_t blocksize, uint32_t sectsize,
			int64_t *n, struct mkfs_error *err)
{
	if (!suffixed(text, blocksize, sectsize, n))
		return bad_value(err, row, text, "Not a valid value or illegal suffix");
	return check_range(row, text, *n, err);
}

static int convert_plain(const struct mkfs_option_row *row, const char *text, int64_t *n, struct mkfs_error *err)
{
	char *end;

	errno = 0;
	*n = strtoll(text, &end, 0);
	if (end == text)
		return bad_value(err, row, text, "Value not recognized as number.");
	if (*end)
		return bad_value(err, row, text, "Unit suffixes are not allowed.");
	return check_range(row, text, *n, err);	/* strtoll() saturates */
}

static int convert_fsck(const struct mkfs_option_row *row, const char *text, int64_t *n, struct mkfs_error *err)
{
	static const char *const words[] = { "none", "check", "optimize", "repair" };

	for (size_t i = 0; i < 4; i++) {
		if (strcmp(text, words[i]) == 0) {
			*n = (int64_t)i;
			return 0;
		}
	}
	if (strcmp(text, "0") && strcmp(text, "1"))
		return bad_value(err, row, text, "");
	*n = *text == '1' ? row->none : 0;
	return 0;
}

static int convert(struct mkfs_options *o, const struct mkfs_option_row *row, struct mkfs_value *v,
		struct mkfs_error *err)
{
	switch (row->type) {
	case MT_SIZE:
		return convert_size(row, v->text, 0, 0, &v->n, err);
	case MT_CPUS:
		if (strcmp(v->text, "nr_cpus") == 0) {
			v->n = 1;
			return 0;
		}
		return convert_plain(row, v->text, &v->n, err);
	case MT_NAMING:
		if (strcasecmp(v->text, "ci") == 0) {
			v->n = 3;
			return 0;
		}
		return convert_plain(row, v->text, &v->n, err);
	case MT_FSCK:
		return convert_fsck(row, v->text, &v->n, err);
	case MT_UUID:
		return uuid_parse(v->text, o->uuid) ? bad_value(err, row, v->text, "") : 0;
	case MT_NUM:
		return convert_plain(row, v->text, &v->n, err);
	case MT_LATE:
	case MT_STR:
	case MT_PROTO:
		break;
	}
	return 0;
}

int mkfs_option_late(const struct mkfs_options *o, enum mkfs_option id, uint32_t blocksize, uint32_t sectsize,
		int64_t *n,
		     struct mkfs_error *err)
{
	if (!o->v[id].set)
		return 0;
	return convert_size(&rows[id], o->v[id].text, blocksize, sectsize, n, err);
}

/* --- one suboption --- */

static bool lists(const struct mkfs_option_row *row, const struct mkfs_option_row *other)
{
	char key[64];
	size_t len = (size_t)snprintf(key, sizeof(key), "%c.%s", other->letter, other->name);
	const char *at = row->conflicts;

	while ((at = strstr(at, key))) {
		if (at[len] == '\0' || at[len] == ' ')
			return true;
		at += len;
	}
	return false;
}

static int check_conflicts(const struct mkfs_options *o, enum mkfs_option id, struct mkfs_error *err)
{
	for (size_t i = 0; i < MO_COUNT; i++) {
		if (!o->v[i].set || !(lists(&rows[id], &rows[i]) || lists(&rows[i], &rows[id])))
			continue;
		return mkfs_fail(err, true, "Cannot specify both -%c %s and -%c %s", rows[i].letter, rows[i].name,
				 rows[id].letter, rows[id].name);
	}
	return 0;
}

static int set_row(struct mkfs_options *o, enum mkfs_option id, const char *value, struct mkfs_error *err)
{
	const struct mkfs_option_row *row = &rows[id];
	struct mkfs_value *v = &o->v[id];

	if (v->set) {
		if (row->type == MT_PROTO)
			return mkfs_fail(err, true, "-p file option respecified");
		return mkfs_fail(err, true, "-%c %s option respecified", row->letter, row->name);
	}
	if (check_conflicts(o, id, err))
		return -1;
	v->set = true;
	v->text = value;
	if (!value || !*value) {
		if (row->none == MKFS_NEEDED)
			return mkfs_fail(err, true, "-%c %s option requires a value", row->letter, row->name);
		v->n = row->none;
	} else if (convert(o, row, v, err)) {
		return -1;
	}
	/* a version 5 filesystem always has file types: the later word wins */
	if (id == MO_M_CRC && v->n && o->v[MO_N_FTYPE].set)
		o->v[MO_N_FTYPE].n = 1;
	return 0;
}

int mkfs_option_set(struct mkfs_options *o, char letter, const char *name, const char *value, struct mkfs_error *err)
{
	for (size_t i = 0; i < MO_COUNT; i++)
		if (rows[i].letter == letter && strcasecmp(rows[i].name, name) == 0)
			return set_row(o, (enum mkfs_option)i, value, err);
	return mkfs_fail(err, true, "unknown option -%c %s%s%s", letter, name, value ? "=" : "", value ? value : "");
}

/* Splits "a=1,b,c=2" in place. */
static int parse_list(struct mkfs_options *o, char letter, char *list, struct mkfs_error *err)
{
	while (list) {
		char *next = strchr(list, ','), *value;

		if (next)
			*next++ = '\0';
		value = strchr(list, '=');
		if (value)
			*value++ = '\0';
		if (letter == 'c') {
			if (strcmp(list, "options"))
				return mkfs_fail(err, true, "unknown option -c %s%s%s", list, value ? "=" : "", value
						? value : "");
			if (!value || !*value)
				return mkfs_fail(err, true, "-c options option requires a value");
			if (o->config)
				return mkfs_fail(err, true, "-c options option respecified");
			o->config = value;
		} else if (letter == 'p' && !value && strcasecmp(list, "slashes_are_spaces") && strcasecmp(list,
				"file")) {
			if (set_row(o, MO_P_FILE, list, err))
				return -1;
		} else if (mkfs_option_set(o, letter, list, value, err)) {
			return -1;
		}
		list = next;
	}
	return 0;
}

/* --- the command line --- */

enum { LONG_UNSUPPORTED = 256, LONG_HELP, LONG_VERSION, LONG_OVERLAY, LONG_LOG_OVERLAY, LONG_SB };

static const struct option long_options[] = {
	{ "unsupported", no_argument, NULL, LONG_UNSUPPORTED },
	{ "help", no_argument, NULL, LONG_HELP },
	{ "version", no_argument, NULL, LONG_VERSION },
	{ "test-overlay", required_argument, NULL, LONG_OVERLAY },
	{ "test-log-overlay", required_argument, NULL, LONG_LOG_OVERLAY },
	{ "test-superblock", no_argument, NULL, LONG_SB },
	{ NULL, 0, NULL, 0 },
};

static int set_test_size(uint64_t *out, const char *text, struct mkfs_error *err)
{
	int64_t n;

	if (!suffixed(text, 0, 0, &n) || n <= 0)
		return mkfs_fail(err, false, "%s is not a size", text);
	*out = (uint64_t)n;
	return 0;
}

static int take_switch(struct mkfs_options *o, int c, struct mkfs_error *err)
{
	switch (c) {
	case 'f':
	case 'C':
		o->force = true;
		return 0;
	case 'K':
		o->keep = true;
		return 0;
	case 'N':
		o->dry_run = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'L':
		if (strlen(optarg) > 12)
			return mkfs_fail(err, true, "Invalid value %s for -L option", optarg);
		o->label = optarg;
		return 0;
	case LONG_UNSUPPORTED:
		o->unsupported = true;
		return 0;
	case LONG_SB:
		o->test_sb = true;
		return 0;
	case LONG_OVERLAY:
		return set_test_size(&o->test_overlay, optarg, err);
	case LONG_LOG_OVERLAY:
		return set_test_size(&o->test_log_overlay, optarg, err);
	case '?':
		return optopt && optopt < 256 ? mkfs_fail(err, true, "unknown option -%c ", optopt)
					      : mkfs_fail(err, true, "unknown option");
	default:
		return parse_list(o, (char)c, optarg, err);
	}
}

int mkfs_options_parse(struct mkfs_options *o, int argc, char **argv, bool *config_read, struct mkfs_error *err)
{
	int c;

	*config_read = false;
	while ((c = getopt_long(argc, argv, "b:c:d:i:l:L:m:n:KNp:qr:s:CfV", long_options, NULL)) != -1) {
		if (c == 'V' || c == LONG_VERSION || c == LONG_HELP) {
			o->version = c != LONG_HELP;
			o->help = c == LONG_HELP;
			return 0;
		}
		if (take_switch(o, c, err))
			return -1;
	}
	if (argc - optind > 1)
		return mkfs_fail(err, true, "extra arguments");
	if (optind < argc && set_row(o, MO_D_NAME, argv[optind], err))
		return -1;
	if (o->config) {
		if (mkfs_config_read(o, o->config, err))
			return -1;
		*config_read = true;
	}
	if (!o->v[MO_D_NAME].set)
		return mkfs_fail(err, true, "No device name specified");
	return 0;
}

void mkfs_options_release(struct mkfs_options *o)
{
	for (size_t i = 0; i < o->nowned; i++)
		free(o->owned[i]);
	free(o->owned);
}

/* --- help --- */

void mkfs_print_usage(FILE *out)
{
	fputs("Usage: mkfs.xfs [-f] [-K] [-N] [-q] [-L label] [-c options=file]\n", out);
	for (size_t s = 0; s < NSECTIONS; s++) {
		int column = fprintf(out, "\t[-%c ", sections[s].letter);
		const char *comma = "";

		for (size_t i = 0; i < MO_COUNT; i++) {
			if (rows[i].letter != sections[s].letter)
				continue;
			if (column > 90)
				column = fprintf(out, "%s\n\t    ", comma), comma = "";
			column += fprintf(out, "%s%s%s", comma, rows[i].name,
					  rows[i].none == MKFS_NEEDED ? "=value" : rows[i].high == 1
							? "[=0|1]" : "[=value]");
			comma = ",";
		}
		fputs("]\n", out);
	}
	fputs("\tdevice (or -d name=device)\n"
	      "Sizes take one suffix: s (sectors), b (blocks), k, m, g, t, p, e (powers of 1024).\n"
	      "mkfs.xfs --help explains every option, mkfs.xfs -V prints the version.\n", out);
}

void mkfs_print_help(FILE *out)
{
	fputs("mkfs.xfs makes an XFS filesystem on a device or in a file.\n\n", out);
	mkfs_print_usage(out);
	fputs("\n  -f, -C             overwrite what looks like a filesystem or partition table\n"
	      "  -K                 don't discard the blocks of the device\n"
	      "  -N                 check everything and print the geometry, write nothing\n"
	      "  -q                 print no geometry\n"
	      "  -L label           label, at most 12 bytes\n"
	      "  -c options=file    more options from a file (sections as named below)\n"
	      "  --unsupported      allow sizes below the supported minimum\n"
	      "  -V, --version      print the version\n", out);
	for (size_t s = 0; s < NSECTIONS; s++) {
		fprintf(out, "\n-%c, section [%s]: %s\n", sections[s].letter, sections[s].ini, sections[s].help);
		for (size_t i = 0; i < MO_COUNT; i++)
			if (rows[i].letter == sections[s].letter)
				fprintf(out, "  %-18s %s\n", rows[i].name, rows[i].help);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - options of xfs_repair as its users' scripts give them (format sheet 06, section 1). */
#include "repair/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MEMORY ((size_t)256 << 20)
#define UPSTREAM_VERSION "6.15.0"

static const char usage_text[] =
	"Usage: xfs_repair [options] device\n"
	"\n"
	"Options:\n"
	"  -f           The device is a file\n"
	"  -L           Force log zeroing. Do this as a last resort.\n"
	"  -l logdev    Specifies the device where the external log resides.\n"
	"  -m maxmem    Maximum amount of memory to be used in megabytes.\n"
	"  -n           No modify mode, just checks the filesystem for damage.\n"
	"               (Cannot be used together with -e.)\n"
	"  -P           Disables prefetching.\n"
	"  -r rtdev     Specifies the device where the realtime section resides.\n"
	"  -v           Verbose output.\n"
	"  -c subopts   Change filesystem parameters - use xfs_admin.\n"
	"  -o subopts   Override default behaviour, refer to man page.\n"
	"  -t interval  Reporting interval in seconds.\n"
	"  -d           Repair dangerously.\n"
	"  -e           Exit with a non-zero code if any errors were repaired.\n"
	"               (Cannot be used together with -n.)\n"
	"  -V           Reports version and exits.\n"
	"  --json       Findings as JSON, one object a line, on stdout.\n"
	"  --help       This text.\n"
	"  --version    The version of this program.\n";

static int usage(void)
{
	fputs(usage_text, stderr);
	return 1;
}

enum suboption { SUB_ASSUME, SUB_BHASH, SUB_IHASH, SUB_STRIDE, SUB_FORCE, SUB_THREADS, SUB_LEAF, SUB_NODE, SUB_NOQUOTA,
	SUB_NOREPLAY };
static char *const suboptions[] = { "assume_xfs", "bhash", "ihash", "ag_stride", "force_geometry", "phase2_threads",
	"debug_bload_leaf_slack", "debug_bload_node_slack", "noquota", "noreplay", NULL };

static int number(const char *name, const char *value, long least, long most, long *out)
{
	char *end;

	if (!value || !*value) {
		fprintf(stderr, "xfs_repair: -o %s requires a parameter\n", name);
		return 1;
	}
	errno = 0;
	*out = strtol(value, &end, 0);
	if (errno || *end || *out < least || *out > most) {
		fprintf(stderr, "xfs_repair: value %s of %s is not a number from %ld to %ld\n", value, name, least, most);
		return 1;
	}
	return 0;
}

static int parse_o(struct repair_options *o, char *text)
{
	long n;

	while (*text) {
		char *value = NULL, *whole = text;
		int which = getsubopt(&text, suboptions, &value);

		switch (which) {
		case SUB_ASSUME:
		case SUB_NOQUOTA:
		case SUB_FORCE:
		case SUB_NOREPLAY:
			if (value) {
				fprintf(stderr, "xfs_repair: -o %s cannot have a value\n", suboptions[which]);
				return 1;
			}
			if (which == SUB_FORCE)
				o->force_geometry = true;
			if (which == SUB_NOREPLAY)
				o->no_replay = true;
			break;
		case SUB_IHASH:
			fprintf(stderr, "-o ihash option has been removed and will be ignored\n");
			break;
		case SUB_BHASH:
		case SUB_STRIDE:
		case SUB_THREADS:	/* tuning of a machinery that this program does not have: checked, no effect */
			if (number(suboptions[which], value, 0, 1 << 30, &n))
				return 1;
			break;
		case SUB_LEAF:
		case SUB_NODE:
			if (number(suboptions[which], value, -1, 8192, &n))
				return 1;
			*(which == SUB_LEAF ? &o->leaf_slack : &o->node_slack) = (int)n;
			break;
		default:
			fprintf(stderr, "unknown option -o %s\n", whole);
			return usage();
		}
	}
	return 0;
}

/* Feature upgrades are not there yet; "unknown option" is what scripts that probe for them look for. */
static int parse_c(const char *text)
{
	fprintf(stderr, "unknown option -c %s (feature upgrades come with a later version)\n", text);
	return usage();
}

static int parse_letter(struct repair_options *o, int c)
{
	long n;

	switch (c) {
	case 'n': o->no_modify = true; return -1;
	case 'L': o->zero_log = true; return -1;
	case 'f': o->image = true; return -1;
	case 'd': o->dangerous = true; return -1;
	case 'e': o->report_repairs = true; return -1;
	case 'v': o->verbose++; return -1;
	case 'P':
	case 'D': return -1;
	case 'l': o->logdev = optarg; return -1;
	case 'r': o->rtdev = optarg; return -1;
	case 't': return number("interval", optarg, 1, 1 << 30, &n) ? 1 : -1;
	case 'm':
		if (number("maxmem", optarg, 1, 1 << 20, &n))
			return 1;
		o->memory = (size_t)n << 20;
		return -1;
	case 'o': return parse_o(o, optarg) ? 1 : -1;
	case 'c': return parse_c(optarg);
	case 'j': o->json = true; return -1;
	case 'V': puts("xfs_repair version " UPSTREAM_VERSION); return 0;
	case 'h': fputs(usage_text, stdout); return 0;
	case 'W': puts("xfs_repair (xfskit " XFSKIT_VERSION ")"); return 0;
	default: return usage();
	}
}

int repair_parse_options(struct repair_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'W' }, { 0 }
	};
	int c;

	*o = (struct repair_options){ .memory = DEFAULT_MEMORY, .leaf_slack = -1, .node_slack = -1 };
	while ((c = getopt_long(argc, argv, "c:o:fl:m:r:LnDvVdPet:", longs, NULL)) != -1) {
		int status = parse_letter(o, c);

		if (status >= 0)
			return status;
	}
	if (argc - optind != 1 || (o->no_modify && o->report_repairs))
		return usage();
	o->device = argv[optind];
	return -1;
}

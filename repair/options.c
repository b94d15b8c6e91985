/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - options of xfs_repair as its users' scripts give them (format sheet 06, section 1). */
#include "repair/options.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MEMORY ((size_t)512 << 20)
#define DEFAULT_INTERVAL 900
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
	"  --plan=FILE  With -n: findings and intended writes as JSON (\"-\": stdout).\n"
	"  --undo=FILE  Saves what is overwritten.\n"
	"  --undo-apply=FILE\n"
	"               Takes a repair back.\n"
	"  --only=IDS, --skip=IDS\n"
	"               Repairs only these findings; all but these.\n"
	"  --list-findings\n"
	"               Their ids and texts.\n"
	"  --salvage-to=DIR\n"
	"               Copies out what could not be put back.\n"
	"  --salvage-all\n"
	"               And all files that have a name.\n"
	"  --progress=fd:N\n"
	"               Progress as JSON lines to file descriptor N.\n"
	"  --help       This text.\n"
	"  --version    The version of this program.\n";

int repair_usage(void)
{
	fputs(usage_text, stderr);
	return 1;
}

enum { LONG_JSON = 256, LONG_HELP, LONG_VERSION, LONG_PLAN, LONG_UNDO, LONG_APPLY, LONG_ONLY, LONG_SKIP, LONG_LIST,
       LONG_SALVAGE,
       LONG_ALL, LONG_PROGRESS };

static const struct option longs[] = {
	{ "json", no_argument, NULL, LONG_JSON }, { "help", no_argument, NULL, LONG_HELP },
	{ "version", no_argument, NULL, LONG_VERSION }, { "plan", required_argument, NULL, LONG_PLAN },
	{ "undo", required_argument, NULL, LONG_UNDO }, { "undo-apply", required_argument, NULL, LONG_APPLY },
	{ "only", required_argument, NULL, LONG_ONLY }, { "skip", required_argument, NULL, LONG_SKIP },
	{ "list-findings", no_argument, NULL, LONG_LIST }, { "salvage-to", required_argument, NULL, LONG_SALVAGE },
	{ "salvage-all", no_argument, NULL, LONG_ALL }, { "progress", required_argument, NULL, LONG_PROGRESS }, { 0 }
};

static int list_findings(void)
{
	for (unsigned i = 1; i < XFS_F_COUNT; i++) {
		enum xfs_finding_id id = (enum xfs_finding_id)i;

		printf("%-18s %-8s %s: %s\n", xfs_finding_name(id), xfs_severity_name(xfs_finding_severity(id)),
		       xfs_finding_text(id), xfs_finding_fix(id));
	}
	return fflush(stdout) ? 1 : 0;
}

/* "fd:N", of an open descriptor. */
static int parse_progress(struct repair_options *o, const char *text)
{
	long n;

	if (strncmp(text, "fd:", 3)) {
		fprintf(stderr, "xfs_repair: --progress=%s: it must be fd:NUMBER\n", text);
		return 1;
	}
	if (repair_parse_number("--progress", text + 3, 0, 1 << 20, &n))
		return 1;
	if (fcntl((int)n, F_GETFD) < 0) {
		fprintf(stderr, "xfs_repair: --progress: file descriptor %ld is not open\n", n);
		return 1;
	}
	o->progress_fd = (int)n;
	return -1;
}

static int parse_long(struct repair_options *o, int c)
{
	switch (c) {
	case LONG_JSON: o->json = true; return -1;
	case LONG_HELP: fputs(usage_text, stdout); return 0;
	case LONG_VERSION: puts("xfs_repair (xfskit " XFSKIT_VERSION ")"); return 0;
	case LONG_PLAN: o->plan = optarg; return -1;
	case LONG_UNDO: o->undo = optarg; return -1;
	case LONG_APPLY: o->undo_apply = optarg; return -1;
	case LONG_ONLY:
	case LONG_SKIP: return repair_parse_findings(o, optarg, c == LONG_ONLY) ? 1 : -1;
	case LONG_LIST: return list_findings();
	case LONG_SALVAGE: o->salvage = optarg; return -1;
	case LONG_ALL: o->salvage_all = true; return -1;
	case LONG_PROGRESS: return parse_progress(o, optarg);
	default: return repair_usage();
	}
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
	case 't':
		if (repair_parse_number("-t", optarg, 1, 1 << 30, &n))
			return 1;
		o->interval = (unsigned)n;
		o->reporting = true;
		return -1;
	case 'm':
		if (repair_parse_number("-m", optarg, 1, 1 << 20, &n))
			return 1;
		o->memory = (unsigned long)n > SIZE_MAX >> 20 ? SIZE_MAX : (size_t)n << 20;
		return -1;
	case 'o': return repair_parse_o(o, optarg) ? 1 : -1;
	case 'c': return repair_parse_c(o, optarg) ? 1 : -1;
	case 'V': puts("xfs_repair version " UPSTREAM_VERSION); return 0;
	default: return parse_long(o, c);
	}
}

/* Options that contradict each other; 0 or the exit status. */
static int check(const struct repair_options *o)
{
	const char *why = NULL;

	if (o->no_modify && o->report_repairs)
		return repair_usage();
	if (o->undo_apply && (o->no_modify || o->undo || o->plan || o->salvage || o->add || o->selecting ||
			      o->zero_log))
		why = "--undo-apply stands alone";
	else if (o->plan && !o->no_modify)
		why = "--plan needs -n: a plan is made of a repair that does not take place";
	else if (o->undo && o->no_modify)
		why = "--undo and -n exclude each other: -n overwrites nothing";
	else if (o->salvage_all && !o->salvage)
		why = "--salvage-all needs --salvage-to";
	else if (o->plan && o->json && !strcmp(o->plan, "-"))
		why = "--json and --plan=- would share standard output";
	else if (o->add & REPAIR_LAZY_ON && o->add & REPAIR_LAZY_OFF)
		why = "-c lazycount option respecified";
	if (!why)
		return 0;
	fprintf(stderr, "xfs_repair: %s\n", why);
	return 1;
}

int repair_parse_options(struct repair_options *o, int argc, char **argv)
{
	int c, status;

	*o = (struct repair_options){ .memory = DEFAULT_MEMORY, .leaf_slack = -1, .node_slack = -1, .progress_fd = -1,
				      .interval = DEFAULT_INTERVAL };
	while ((c = getopt_long(argc, argv, "c:o:fl:m:r:LnDvVdPet:", longs, NULL)) != -1) {
		status = parse_letter(o, c);
		if (status >= 0)
			return status;
	}
	if (argc - optind != 1)
		return repair_usage();
	o->device = argv[optind];
	status = check(o);
	return status ? status : -1;
}

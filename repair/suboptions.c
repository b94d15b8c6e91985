/* SPDX-License-Identifier: BSD-2-Clause */
/* suboptions.c - what follows -o, -c, --only and --skip (format sheet 06, section 1). */
#include "repair/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int repair_parse_number(const char *name, const char *value, long least, long most, long *out)
{
	char *end;

	if (!value || !*value) {
		fprintf(stderr, "xfs_repair: %s requires a parameter\n", name);
		return 1;
	}
	errno = 0;
	*out = strtol(value, &end, 0);
	if (errno || *end || *out < least || *out > most) {
		fprintf(stderr, "xfs_repair: value %s of %s is not a number from %ld to %ld\n", value, name, least,
			most);
		return 1;
	}
	return 0;
}

/* ---- -o ---- */

enum o_option { O_ASSUME, O_BHASH, O_IHASH, O_STRIDE, O_FORCE, O_THREADS, O_LEAF, O_NODE, O_NOQUOTA, O_NOREPLAY,
	       O_OURS, O_COUNT };

static const struct {
	const char *name;
	enum { NO_VALUE, NUMBER, ANYTHING } takes;
	long least, most;
} o_options[O_COUNT] = {
	[O_ASSUME] = { "assume_xfs", NO_VALUE, 0, 0 },
	[O_BHASH] = { "bhash", NUMBER, 1, 1 << 30 },
	[O_IHASH] = { "ihash", ANYTHING, 0, 0 },
	[O_STRIDE] = { "ag_stride", NUMBER, 0, 1 << 30 },
	[O_FORCE] = { "force_geometry", NO_VALUE, 0, 0 },
	[O_THREADS] = { "phase2_threads", NUMBER, 0, 1 << 30 },
	[O_LEAF] = { "debug_bload_leaf_slack", NUMBER, -1, 8192 },
	[O_NODE] = { "debug_bload_node_slack", NUMBER, -1, 8192 },
	[O_NOQUOTA] = { "noquota", NO_VALUE, 0, 0 },
	[O_NOREPLAY] = { "noreplay", NO_VALUE, 0, 0 },
	[O_OURS] = { "threads", NUMBER, 1, 256 },
};

static int one_o(struct repair_options *o, enum o_option which, const char *value, unsigned *seen)
{
	char label[40];
	long n = 0;

	snprintf(label, sizeof(label), "-o %s", o_options[which].name);
	if (*seen >> which & 1) {
		fprintf(stderr, "xfs_repair: %s option respecified\n", label);
		return repair_usage();
	}
	*seen |= 1u << which;
	if (o_options[which].takes == NO_VALUE && value) {
		fprintf(stderr, "xfs_repair: %s option cannot have a value\n", label);
		return repair_usage();
	}
	if (o_options[which].takes == NUMBER && repair_parse_number(label, value, o_options[which].least,
								    o_options[which].most, &n))
		return 1;
	switch (which) {
	case O_FORCE: o->force_geometry = true; break;
	case O_NOQUOTA: o->no_quota = true; break;
	case O_NOREPLAY: o->no_replay = true; break;
	case O_STRIDE: o->reporting |= n != 0; break;
	case O_LEAF: o->leaf_slack = (int)n; break;
	case O_NODE: o->node_slack = (int)n; break;
	case O_OURS: o->threads = (unsigned)n; break;
	case O_IHASH:
		fprintf(stderr, "-o ihash option has been removed and will be ignored\n");
		break;
	default:	/* tuning of a machinery that this program does not have: checked, no effect */
		break;
	}
	return 0;
}

/* The next part of a list: its name, and what stands behind "=", or NULL. */
static char *next_part(char **text, char **value)
{
	char *part = *text, *end = strchr(part, ',');

	if (end)
		*end++ = '\0';
	*text = end ? end : part + strlen(part);
	*value = strchr(part, '=');
	if (*value)
		*(*value)++ = '\0';
	return part;
}

int repair_parse_o(struct repair_options *o, char *text)
{
	unsigned seen = 0;

	while (*text) {
		char *value, *name = next_part(&text, &value);
		unsigned which = 0;
		int status;

		while (which < O_COUNT && strcmp(name, o_options[which].name))
			which++;
		if (which == O_COUNT) {
			fprintf(stderr, "unknown option -o %s\n", name);
			return repair_usage();
		}
		status = one_o(o, (enum o_option)which, value, &seen);
		if (status)
			return status;
	}
	return 0;
}

/* ---- -c ---- */

int repair_parse_c(struct repair_options *o, char *text)
{
	static const struct { const char *name; enum repair_add bit; } features[] = {
		{ "inobtcount", REPAIR_ADD_INOBTCNT }, { "bigtime", REPAIR_ADD_BIGTIME }, { "nrext64",
											   REPAIR_ADD_NREXT64 },
		{ "exchange", REPAIR_ADD_EXCHANGE }, { "finobt", REPAIR_ADD_FINOBT }, { "reflink", REPAIR_ADD_REFLINK },
		{ "rmapbt", REPAIR_ADD_RMAPBT }, { "parent", REPAIR_ADD_PARENT }, { "lazycount", REPAIR_LAZY_ON },
	};

	while (*text) {
		char *value, *name = next_part(&text, &value);
		unsigned i = 0;
		long n = 0;

		while (i < sizeof(features) / sizeof(features[0]) && strcmp(name, features[i].name))
			i++;
		if (i == sizeof(features) / sizeof(features[0])) {
			fprintf(stderr, "unknown option -c %s\n", name);
			return repair_usage();
		}
		if (!value || !*value) {
			fprintf(stderr, "xfs_repair: -c %s requires a parameter\n", name);
			return 1;
		}
		if (features[i].bit == REPAIR_LAZY_ON) {
			if (repair_parse_number("-c lazycount", value, 0, 1, &n))
				return 1;
			o->add |= n ? REPAIR_LAZY_ON : REPAIR_LAZY_OFF;
		} else if (strcmp(value, "1")) {
			fprintf(stderr, "xfs_repair: -c %s only supports upgrades\n", name);
			return 1;
		} else {
			o->add |= features[i].bit;
		}
	}
	return 0;
}

/* ---- --only and --skip ---- */

int repair_parse_findings(struct repair_options *o, const char *text, bool only)
{
	if (only && !o->selecting)
		for (unsigned i = 1; i < XFS_F_COUNT; i++)
			o->held[i] = true;
	o->selecting = true;
	while (*text) {
		size_t len = strcspn(text, ",");
		unsigned i = 1;

		while (i < XFS_F_COUNT && (strncmp(xfs_finding_name((enum xfs_finding_id)i), text, len) ||
					   xfs_finding_name((enum xfs_finding_id)i)[len]))
			i++;
		if (i == XFS_F_COUNT) {
			fprintf(stderr,
				"xfs_repair: no finding is called \"%.*s\"; --list-findings shows their names\n",
					(int)len, text);
			return 1;
		}
		o->held[i] = !only;
		text += len + (text[len] == ',');
	}
	return 0;
}

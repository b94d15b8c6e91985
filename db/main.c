/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - the program xfs_db: options, opening, commands from the command line or standard input. */
#include "db/prompt.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

struct options {
	const char *prog, *device, *log, *rt;
	bool expert, readonly, inspect, force, replay;
	char **commands;
	unsigned ncommands;
};

static const char usage_line[] = "Usage: xfs_db [-ifFrxV] [-p prog] [-l logdev] [-R rtdev] [-c cmd]... device\n";
static const char help_text[] =
	"\n"
	"xfs_db shows what is on the disk of an XFS filesystem, whole or broken.\n"
	"\n"
	"  -c cmd       Runs a command; may be repeated. Without it commands are read from standard input.\n"
	"  -f           The device is a file (as may be seen without being told).\n"
	"  -F           Goes on although there is no superblock.\n"
	"  -i, -r       Read only; -r also on a mounted device.\n"
	"  -l logdev    External log device.\n"
	"  -p prog      Name for messages and the prompt.\n"
	"  -R rtdev     Realtime device.\n"
	"  -x           Expert mode: commands that change the filesystem.\n"
	"  --replay     Shows the filesystem as it is with its log replayed, in memory; nothing is written.\n"
	"  -V, --version, --help\n"
	"\n"
	"The command `help` lists all commands.\n";

static int usage(void)
{
	fputs(usage_line, stderr);
	return 1;
}

static int fatal_open(void)
{
	fprintf(stderr, "\nfatal error -- couldn't initialize XFS library\n");
	return 1;
}

/* 0: go on; -1: done; else the exit status */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
		{ "replay", no_argument, NULL, 'P' }, { 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:fFil:p:rR:xV", longs, NULL)) != -1) {
		switch (opt) {
		case 'c': o->commands[o->ncommands++] = optarg; break;
		case 'f': break;	/* files are recognised */
		case 'F': o->force = true; break;
		case 'i': o->readonly = o->inspect = true; break;
		case 'l': o->log = optarg; break;
		case 'p': o->prog = optarg; break;
		case 'P': o->replay = true; break;
		case 'r': o->readonly = true; break;
		case 'R': o->rt = optarg; break;
		case 'x': o->expert = true; break;
		case 'h':
			printf("%s%s", usage_line, help_text);
			return -1;
		case 'V':
			puts("xfs_db version 6.15.0");	/* whose commands these are; scripts parse the line */
			return -1;
		default:
			return usage();
		}
	}
	if (optind + 1 != argc)
		return usage();
	o->device = argv[optind];
	return 0;
}

static int open_device(struct xfs_dev **out, const char *path)
{
	int err, sys = 0;

	err = xfs_dev_file(out, path, XFS_DEV_READONLY, 0, &sys);
	if (err)
		fprintf(stderr, "%s: %s\n", path, sys ? strerror(sys) : xfs_error_text(err));
	return err;
}

static int open_fs(struct db *db, const struct options *o)
{
	struct xfs_fs_options how = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK };
	struct xfs_sb sb = { 0 };
	int err;

	if (!o->readonly && xfs_dev_is_mounted(o->device)) {
		fprintf(stderr, "%s: %s contains a mounted filesystem\n", db->prog, o->device);
		return fatal_open();
	}
	if (open_device(&db->dev.data, o->device) || (o->log && open_device(&db->dev.log, o->log)) ||
	    (o->rt && open_device(&db->dev.rt, o->rt)))
		return fatal_open();
	if (o->replay && !db_replay(db))
		return 1;
	err = xfs_fs_read_sb(db->dev.data, 0, &sb);
	if (err == -XFS_E_BADMAGIC && !o->force) {
		fprintf(stderr, "%s: %s is not a valid XFS filesystem (unexpected SB magic number 0x%08x)\n", db->prog,
			o->device, sb.magicnum);
		fprintf(stderr, "Use -F to force a read attempt.\n");
		return 1;
	}
	if (err == -XFS_E_BADMAGIC) {	/* asked to go on: as if it were right */
		sb.magicnum = XFS_SB_MAGIC;
		how.sb = &sb;
	}
	err = xfs_fs_open(&db->fs, &db->dev, &how, NULL);
	if (!err && db->dev.data->size / db->fs->geo.blocksize < db->fs->geo.dblocks) {
		/* what is there can be looked at, but nobody should take it for whole */
		fprintf(stderr, "%s: %s ends before its filesystem: %llu of %llu blocks\n", db->prog, o->device,
			(unsigned long long)(db->dev.data->size / db->fs->geo.blocksize),
			(unsigned long long)db->fs->geo.dblocks);
		db->status = 1;
	}
	if (!err)
		return 0;
	fprintf(stderr, "%s: device %s unusable (not an XFS filesystem?): %s\n", db->prog, o->device,
		xfs_error_text(err));
	return 1;
}

int main(int argc, char **argv)
{
	struct options o = { .prog = "xfs_db" };
	struct db db = { .status = 0 };
	int status;

	o.commands = calloc((size_t)argc + 1, sizeof(*o.commands));
	if (!o.commands)
		return 1;
	status = parse_options(argc, argv, &o);
	if (status)
		goto out;
	db.prog = o.prog;
	db.device = o.device;
	db.expert = o.expert;
	db.readonly = o.readonly || o.replay;
	status = open_fs(&db, &o);
	if (status)
		goto out;
	if (db_cursor_init(&db)) {
		fprintf(stderr, "%s: %s\n", db.prog, xfs_error_text(-XFS_E_NOMEM));
		status = 1;
		goto out;
	}
	db_judge_headers(&db);
	for (unsigned i = 0; i < o.ncommands && !db.quit; i++) {
		char *line = strdup(o.commands[i]);

		if (line)
			db_line_run(&db, line);
		free(line);
	}
	if (!o.ncommands) {
		db.editor = db_editor_open(&db);
		db_file_run(&db, stdin, true);
	}
	status = db.status;
out:
	if (db.log)
		fclose(db.log);
	db_editor_close(db.editor);
	db_cursor_free(&db);
	xfs_fs_close(db.fs);
	xfs_dev_close(db.dev.rt);
	xfs_dev_close(db.dev.log);
	xfs_dev_close(db.dev.data);
	free(o.commands);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "xfs_db: standard output: %s\n", strerror(errno));
		return 1;
	}
	return status < 0 ? 0 : status;
}

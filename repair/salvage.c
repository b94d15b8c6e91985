/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * salvage.c - which files are copied out, and where to.
 *
 *	DIR/tree/...		with --salvage-all: everything that can be reached from the root, under its name
 *	DIR/inodes/N		inodes with findings that remain; directories with all that is below them
 *	DIR/lost/N		data that reverse mappings give to inodes whose core is lost
 *	DIR/report.json		a line for each
 */
#include "repair/salvage.h"
#include "repair/scan.h"
#include "repair/treewalk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>

#define PATH_ROOM 16384u

/* ---- folders ---- */

/* Opens a folder below another, making it; never through a link. */
static int enter_folder(int from, const char *name)
{
	if (mkdirat(from, name, 0700) && errno != EEXIST)
		return -1;
	return openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* "a/b/c" below the salvage folder, one step at a time. */
static int open_path(const struct salvage *s, const char *path)
{
	int fd = dup(s->root);

	while (fd >= 0 && *path) {
		size_t len = strcspn(path, "/");
		char name[256];
		int next = -1;

		if (salvage_name_ok(path, len)) {
			memcpy(name, path, len);
			name[len] = '\0';
			next = enter_folder(fd, name);
		} else {
			errno = EINVAL;
		}
		close(fd);
		fd = next;
		path += len + (path[len] == '/');
	}
	return fd;
}

static bool is_empty(int fd)
{
	DIR *dir = fdopendir(dup(fd));
	struct dirent *e;
	bool empty = true;

	while (dir && empty && (e = readdir(dir)))
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	if (dir)
		closedir(dir);
	return dir && empty;
}

static int to_report(void *payload, const void *bytes, size_t len)
{
	return fwrite(bytes, 1, len, payload) == len ? 0 : -XFS_E_IO;
}

static const char *open_root(struct salvage *s)
{
	int fd;

	if (mkdir(s->name, 0700) && errno != EEXIST)
		return strerror(errno);
	s->root = open(s->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return strerror(errno);
	if (!is_empty(s->root))
		return "is not empty";
	fd = openat(s->root, "report.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	s->report_file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!s->report_file)
		return strerror(errno);
	xfs_json_start(&s->report, to_report, s->report_file, false);
	return NULL;
}

/* ---- links ---- */

static struct salvage_link *link_slot(struct salvage *s, uint64_t ino)
{
	size_t at = (size_t)xfs_mix(&s->mix, ino) & (s->links_room - 1);

	while (s->links[at].ino && s->links[at].ino != ino)
		at = (at + 1) & (s->links_room - 1);
	return &s->links[at];
}

/* Where the inode was copied to, or a new place for it with path NULL. */
static struct salvage_link *link_of(struct salvage *s, uint64_t ino)
{
	if (4 * (s->nlinks + 1) >= 3 * s->links_room) {
		size_t old_room = s->links_room;
		struct salvage_link *old = s->links;

		s->links_room = old_room ? 2 * old_room : 256;
		s->links = calloc(s->links_room, sizeof(*s->links));
		if (!s->links) {
			s->links = old;
			s->links_room = old_room;
			return NULL;
		}
		xfs_mix_init(&s->mix);
		for (size_t i = 0; i < old_room; i++)
			if (old[i].ino)
				*link_slot(s, old[i].ino) = old[i];
		free(old);
	}
	return link_slot(s, ino);
}

/* A second name of a file: a link on the host, too. */
static bool link_again(struct salvage *s, const struct salvage_link *l, int folder, const char *name)
{
	const char *slash = strrchr(l->path, '/');
	char *dir = strndup(l->path, slash ? (size_t)(slash - l->path) : 0);
	int fd = dir ? open_path(s, dir) : -1;
	bool done = fd >= 0 && !linkat(fd, slash ? slash + 1 : l->path, folder, name, 0);

	if (fd >= 0)
		close(fd);
	free(dir);
	return done;
}

/* Copies an inode, or links it to its first copy. Each is copied once, whatever its link count says. */
static int copy_once(struct salvage *s, const struct xfs_inode *ip, int folder, const char *name, const char *path)
{
	struct salvage_link *l = link_of(s, ip->ino.v);

	if (!l)
		return -XFS_E_NOMEM;
	if (l->ino) {
		bool done = link_again(s, l, folder, name);

		salvage_note(s, ip->ino.v, path, "link", 0, 0, done ? NULL : "can't be linked to the first copy");
		s->left_out += !done;
		return 0;
	}
	l->path = strdup(path);
	if (!l->path)
		return -XFS_E_NOMEM;
	l->ino = ip->ino.v;
	s->nlinks++;
	return salvage_copy(s, ip, folder, name, path);
}

/* ---- trees ---- */

struct copying {
	struct salvage *s;
	const char *top;		/* "tree", "inodes/N" */
	int folder;			/* of the directory that is read; -1: none */
	struct xfs_inode *ip;
	char path[PATH_ROOM];
};

static int path_below(const struct repair_treewalk *t, size_t dir, const void *name, size_t len, struct copying *c)
{
	size_t n = strlen(c->top);

	memcpy(c->path, c->top, n);
	if (repair_treewalk_path(t, dir, name, len, c->path + n, sizeof(c->path) - n))
		return -XFS_E_RANGE;
	if (c->path[n] == '/' && !c->path[n + 1])
		c->path[n] = '\0';
	return 0;
}

static int enter(struct repair_treewalk *t, size_t dir, const struct xfs_inode *ip, bool *skip)
{
	struct copying *c = t->payload;

	if (c->folder >= 0)
		close(c->folder);
	c->folder = path_below(t, dir, NULL, 0, c) ? -1 : open_path(c->s, c->path);
	*skip = c->folder < 0;
	if (*skip) {
		salvage_note(c->s, ip->ino.v, c->path, "directory", 0, 0, "can't be made here");
		c->s->left_out++;
	}
	return 0;
}

/* At last, as what is made in a folder changes its times; those below come first. */
static int dress_folders(struct repair_treewalk *t, struct copying *c, size_t first)
{
	int error = 0;

	for (size_t i = t->ndirs; i > first && !error; i--) {
		int fd;

		error = xfs_inode_read(c->s->fs, XFS_INO(t->dirs[i - 1].ino), 0, c->ip);
		error = error == -XFS_E_NOMEM ? error : 0;
		if (error || !xfs_inode_is_dir(c->ip) || path_below(t, i - 1, NULL, 0, c))
			continue;
		fd = open_path(c->s, c->path);
		if (fd < 0)
			continue;
		salvage_dress(c->s, c->ip, fd);
		close(fd);
	}
	return error;
}

static int entry(struct repair_treewalk *t, size_t dir, const struct xfs_dir_entry *e)
{
	struct copying *c = t->payload;
	char name[256];
	int error;

	if (!salvage_name_ok(e->name, e->namelen) || path_below(t, dir, e->name, e->namelen, c)) {
		salvage_note(c->s, e->ino.v, NULL, "entry", 0, 0, "its name can't be used");
		c->s->left_out++;
		return 0;
	}
	error = xfs_inode_read(c->s->fs, e->ino, 0, c->ip);
	if (error == -XFS_E_NOMEM)
		return error;
	if ((error && error != -XFS_E_BADCRC) || !c->ip->d.core.mode) {
		salvage_note(c->s, e->ino.v, c->path, "entry", 0, 0, "leads to no inode in use");
		c->s->left_out++;
		return 0;
	}
	if (xfs_inode_is_dir(c->ip))
		return 0;	/* the walk comes there */
	memcpy(name, e->name, e->namelen);
	name[e->namelen] = '\0';
	return copy_once(c->s, c->ip, c->folder, name, c->path);
}

/* Everything below a directory; what earlier walks saw is left out. */
static int copy_tree(struct salvage *s, struct repair_treewalk *t, uint64_t ino, const char *top)
{
	struct copying *c = calloc(1, sizeof(*c));
	size_t first = t->ndirs;
	int error = -XFS_E_NOMEM;

	if (!c)
		return error;
	c->s = s;
	c->top = top;
	c->folder = -1;
	c->ip = malloc(sizeof(*c->ip));
	t->fs = s->fs;
	t->enter = enter;
	t->entry = entry;
	t->payload = c;
	if (c->ip)
		error = repair_treewalk_run(t, ino);
	if (!error)
		error = dress_folders(t, c, first);
	if (c->folder >= 0)
		close(c->folder);
	free(c->ip);
	free(c);
	return error;
}

/* ---- what could not be put back ---- */

static int by_number(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

static int copy_left(struct salvage *s, struct repair_treewalk *t, struct xfs_inode *ip, uint64_t ino)
{
	char path[64], name[32];
	int folder, error;

	error = xfs_inode_read(s->fs, XFS_INO(ino), 0, ip);
	if (error == -XFS_E_NOMEM)
		return error;
	if ((error && error != -XFS_E_BADCRC) || !ip->d.core.mode)
		return 0;	/* no inode: its data are among the lost ones, when somebody knows them */
	snprintf(name, sizeof(name), "%" PRIu64, ino);
	snprintf(path, sizeof(path), "inodes/%s", name);
	if (xfs_inode_is_dir(ip))
		return repair_treewalk_saw(t, ino) ? 0 : copy_tree(s, t, ino, path);
	folder = open_path(s, "inodes");
	if (folder < 0)
		return -XFS_E_OPEN;
	error = copy_once(s, ip, folder, name, path);
	close(folder);
	return error;
}

static int copy_all_left(struct salvage *s, struct repair_treewalk *t)
{
	struct repair *r = s->r;
	struct xfs_inode *ip = malloc(sizeof(*ip));
	int error = ip ? 0 : -XFS_E_NOMEM;

	if (r->nleft)
		qsort(r->left, r->nleft, sizeof(*r->left), by_number);
	for (size_t i = 0; i < r->nleft && !error; i++)
		if (!i || r->left[i] != r->left[i - 1])
			error = copy_left(s, t, ip, r->left[i]);
	free(ip);
	return error;
}

/* ---- data of lost inodes ---- */

struct lost_data {
	struct salvage *s;
	uint32_t agno;
	int folder, fd;
	uint64_t ino;			/* of fd */
	uint64_t bytes, bad;
	int error;
};

static void finish_lost(struct lost_data *l)
{
	char path[64];

	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	snprintf(path, sizeof(path), "lost/%" PRIu64, l->ino);
	salvage_note(l->s, l->ino, path, "data", l->bytes, l->bad, "size, mode and owner are not known");
	l->s->bytes += l->bytes;
	l->s->unreadable += l->bad;
	l->bytes = l->bad = 0;
}

static int lost_record(void *payload, const void *disk)
{
	struct lost_data *l = payload;
	struct repair *r = l->s->r;
	struct xfs_claim c = xfs_claim_decode(disk);
	uint64_t off = c.offset & XFS_RMAP_OFFMASK;
	struct stat st;
	char name[32];

	if (l->error || c.offset & XFS_RMAP_FLAGS || !repair_is_lost(r, c.owner) ||
	    !xfs_agbno_range_valid(&r->geo, XFS_AGNO(l->agno), c.agbno, c.len))
		return 0;
	if (l->fd < 0 || l->ino != c.owner) {
		finish_lost(l);
		snprintf(name, sizeof(name), "%" PRIu64, c.owner);
		l->fd = openat(l->folder, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (l->fd < 0 || fstat(l->fd, &st)) {
			l->error = -XFS_E_OPEN;
			return 0;
		}
		l->s->files += st.st_size == 0;
		l->ino = c.owner;
	}
	l->error = salvage_put(l->s, l->fd, xfs_fsbno_of(&r->geo, XFS_AGNO(l->agno), XFS_AGBNO(c.agbno)).v, c.len,
			       off, INT64_MAX, &l->bad);
	/* what ends in zeroes is that long all the same */
	if (!l->error && !fstat(l->fd, &st) && (uint64_t)st.st_size < (off + c.len) << r->geo.blocklog &&
	    ftruncate(l->fd, (off_t)((off + c.len) << r->geo.blocklog)))
		l->error = -XFS_E_TOOBIG;
	l->bytes += (uint64_t)c.len << r->geo.blocklog;
	return 0;
}

static int copy_lost(struct salvage *s)
{
	struct lost_data l = { .s = s, .fd = -1 };
	int error = 0;

	if (!s->r->nlost || !s->r->geo.rmapbt)
		return 0;
	l.folder = open_path(s, "lost");
	if (l.folder < 0)
		return -XFS_E_OPEN;
	for (l.agno = 0; l.agno < s->r->geo.agcount && !error; l.agno++) {
		struct xfs_btree_verify v = { .record = lost_record, .payload = &l };
		struct xfs_btree bt;

		if (xfs_fs_ag_btree(s->fs, XFS_AGNO(l.agno), XFS_BTREE_RMAP, &bt))
			continue;
		error = xfs_btree_verify(&bt, &v);
		finish_lost(&l);
		error = error ? error : l.error;
	}
	close(l.folder);
	return error;
}

/* ---- all of it ---- */

static int copy_out(struct salvage *s, bool all)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .cache = s->r->cache,
					 .sb = &s->r->primary };
	struct repair_treewalk t = { .fs = NULL };
	int error = xfs_fs_open(&s->fs, &s->r->dev, &options, NULL);

	s->buf = malloc(SALVAGE_PIECE);
	if (!error && !s->buf)
		error = -XFS_E_NOMEM;
	if (!error && all)
		error = copy_tree(s, &t, s->r->primary.rootino, "tree");
	if (!error)
		error = copy_all_left(s, &t);
	if (!error)
		error = copy_lost(s);
	repair_treewalk_release(&t);
	xfs_fs_close(s->fs);
	return error;
}

static void release(struct salvage *s)
{
	for (size_t i = 0; i < s->links_room; i++)
		free(s->links[i].path);
	free(s->links);
	free(s->buf);
	if (s->root >= 0)
		close(s->root);
}

int repair_salvage(struct repair *r, const char *dir, bool all)
{
	struct salvage s = { .r = r, .root = -1, .name = dir };
	const char *why = r->geo.agcount ? open_root(&s) : "nothing to salvage: no superblock was found";
	int error = 0;

	if (!why) {
		error = copy_out(&s, all);
		if (xfs_json_finish(&s.report) && !error)
			error = -XFS_E_IO;
		if (error)
			why = xfs_error_text(error);
	}
	if (s.report_file && fclose(s.report_file) && !why)
		why = strerror(errno);
	if (why)
		fprintf(stderr, "xfs_repair: %s: %s\n", dir, why);
	if (s.report_file)
		fprintf(stderr,
			"salvaged: %" PRIu64 " files with %" PRIu64 " bytes in %s, %" PRIu64 " bytes unreadable, "
			"%" PRIu64
			" left out; report.json tells\n", s.files, s.bytes, dir, s.unreadable, s.left_out);
	release(&s);
	return why ? 1 : 0;
}

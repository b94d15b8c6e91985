/* SPDX-License-Identifier: BSD-2-Clause */
/* parent.c - parent: the directories that have an entry for the file, from its parent pointers. */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEFAULT_BUFFER 65536
#define MAX_BUFFER (1 << 26)
#define PATH_SIZE 4096
#define MAX_DEPTH 1024		/* directories above each other; a loop on disk ends here */

struct parent_opts {
	bool paths, shortly, first;
	int64_t buffer;
	const char *ino, *name;
};
#define AT(field) offsetof(struct parent_opts, field)

static const struct io_opt parent_options[] = {
	{ 'p', IO_OPT_FLAG, AT(paths), 0, NULL, "all full paths of the file", NULL },
	{ 's', IO_OPT_FLAG, AT(shortly), 0, NULL, "one line each: inode:generation:length:name", NULL },
	{ 'z', IO_OPT_FLAG, AT(first), 0, NULL, "only the first path", NULL },
	{ 'b', IO_OPT_SIZE, AT(buffer), 0, "size", "bytes of the buffer for the kernel's answers", "buffer size" },
	{ 'i', IO_OPT_TEXT, AT(ino), 0, "ino", "only parents with this inode number", NULL },
	{ 'n', IO_OPT_TEXT, AT(name), 0, "name", "only entries with this name", NULL },
	{ 0 },
};

/* One walk over the parents; what it needs at every level. */
struct walk {
	int fd, dir_fd;			/* the file; the mount point, for paths */
	const struct parent_opts *o;
	uint64_t ino;			/* filter of the first level; 0: all */
	size_t size;			/* of each level's buffer */
	char mount[PATH_SIZE];
};

/*
 * Called for each record with the terminated name. Returns 0 to go on, 1 to stop, -1 on failure (errno).
 */
typedef int record_fn(struct walk *w, const struct xfs_parent_record *r, const char *name, void *arg);

/* Checks the record at `at` of a buffer of n bytes; sets *name. Returns its length, 0 when it is wrong. */
static size_t check_record(const char *buf, size_t at, size_t n, const char **name)
{
	const struct xfs_parent_record *r = (const struct xfs_parent_record *)(buf + at);
	if (n - at < sizeof(*r) || r->reclen < sizeof(*r) || r->reclen > n - at || r->reclen % 8)
		return 0;
	if (!memchr(r->name, '\0', r->reclen - sizeof(*r)))
		return 0;
	*name = r->name;
	return r->reclen;
}

/*
 * All parents of the open file (handle NULL) or of the inode with the handle. Returns 0, 1 when fn stopped, 2 for the
 * root directory, -1 on failure.
 */
static int each_parent(struct walk *w, const struct xfs_file_handle *handle, record_fn *fn, void *arg)
{
	struct xfs_parents_by_handle q;
	char *buf = malloc(w->size);
	int res = buf ? 0 : -1;
	memset(&q, 0, sizeof(q));
	if (handle)
		q.handle = *handle;
	while (res == 0) {
		q.request.bufsize = (uint32_t)w->size;
		q.request.buffer = (uintptr_t)buf;
		memset(buf, 0, w->size);
		res = handle ? ioctl(w->dir_fd, XFS_IOCTL_GETPARENTS_BY_HANDLE, &q)
			: ioctl(w->fd, XFS_IOCTL_GETPARENTS, &q.request);
		if (res < 0)
			break;
		if (q.request.oflags & XFS_PARENTS_ROOT) {
			res = 2;
			break;
		}
		for (size_t at = 0, n; res == 0 && at < w->size; at += n) {
			const char *name;
			n = check_record(buf, at, w->size, &name);
			if (!n)		/* behind the last record */
				break;
			res = fn(w, (const struct xfs_parent_record *)(buf + at), name, arg);
		}
		if (q.request.oflags & XFS_PARENTS_DONE)
			break;
	}
	int error = errno;
	free(buf);
	errno = error;
	return res;
}

/* Whether the filters of the command line let the record through. */
static bool is_wanted(const struct walk *w, const struct xfs_parent_record *r, const char *name)
{
	return (!w->ino || r->parent.ino == w->ino) && (!w->o->name || !strcmp(w->o->name, name));
}

static int print_record(struct walk *w, const struct xfs_parent_record *r, const char *name, void *arg)
{
	(void)arg;
	if (!is_wanted(w, r, name))
		return 0;
	if (w->o->shortly)
		printf("%" PRIu64 ":%u:%zu:%s\n", r->parent.ino, r->parent.gen, strlen(name), name);
	else
		printf("p_ino     = %" PRIu64 "\np_gen     = %u\np_namelen = %zu\np_name    = \"%s\"\n\n",
		       r->parent.ino, r->parent.gen, strlen(name), name);
	return 0;
}

/* The path below what is known so far, built from its end. */
struct tail {
	unsigned depth;
	const char *path;	/* "" or "/b/c" */
};

static int print_paths(struct walk *w, const struct xfs_parent_record *r, const char *name, void *arg)
{
	const struct tail *below = arg;
	if (below->depth == 0 && !is_wanted(w, r, name))
		return 0;
	if (below->depth >= MAX_DEPTH) {
		errno = ELOOP;
		return -1;
	}
	size_t size = strlen(name) + strlen(below->path) + 2;
	char *path = malloc(size);
	if (!path)
		return -1;
	snprintf(path, size, "/%s%s", name, below->path);
	struct tail here = { .depth = below->depth + 1, .path = path };
	int res = each_parent(w, &r->parent, print_paths, &here);
	if (res == 2) {
		printf("%s%s\n", strcmp(w->mount, "/") ? w->mount : "", path);
		res = w->o->first ? 1 : 0;
	}
	free(path);
	return res;
}

/* Turns \\040 and the like of mountinfo into the characters they stand for. */
static void unescape(char *text)
{
	char *to = text;
	while (*text) {
		if (*text == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* Where the filesystem of fd is mounted, as a whole. Returns false when that isn't known. */
static bool find_mount(int fd, char mount[PATH_SIZE])
{
	struct stat st;
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, root[PATH_SIZE], path[PATH_SIZE];
	size_t room = 0;
	bool found = false;
	if (f && fstat(fd, &st) == 0) {
		while (!found && getline(&line, &room, f) > 0) {
			unsigned maj, min;
			found = sscanf(line, "%*s %*s %u:%u %4095s %4095s", &maj, &min, root, path) == 4 &&
				makedev(maj, min) == st.st_dev && !strcmp(root, "/");
		}
	}
	if (found) {
		unescape(path);
		strcpy(mount, path);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* The kernel takes handles only together with a directory of the filesystem. */
static int open_mount(struct walk *w)
{
	if (!find_mount(w->fd, w->mount)) {
		errno = ENOENT;
		return -1;
	}
	w->dir_fd = open(w->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->dir_fd < 0 ? -1 : 0;
}

static int parent_run(struct io *io, struct io_call *c)
{
	const struct parent_opts *o = c->opts;
	struct walk w = { .fd = io_current(io)->fd, .dir_fd = -1, .o = o, .size = DEFAULT_BUFFER };
	struct tail none = { .path = "" };
	if (c->argc)
		return io_usage(c);
	if (o->ino && !io_parse_u64(o->ino, UINT64_MAX, &w.ino)) {
		printf("non-numeric inode number -- %s\n", o->ino);
		return IO_FAIL;
	}
	if (o->buffer > MAX_BUFFER || (io_seen(c, 'b') && o->buffer < (int64_t)sizeof(struct xfs_parent_record))) {
		printf("bad buffer size -- %" PRId64 "\n", o->buffer);
		return IO_FAIL;
	}
	if (o->buffer)
		w.size = (size_t)o->buffer;
	bool paths = o->paths || o->first;
	if (paths && open_mount(&w) < 0)
		return io_perror("mount point");
	int res = paths ? each_parent(&w, NULL, print_paths, &none) : each_parent(&w, NULL, print_record, NULL);
	if (res < 0)
		io_perror("XFS_IOC_GETPARENTS");
	if (w.dir_fd >= 0)
		close(w.dir_fd);
	if (res == 2)
		printf(paths ? "%s\n" : "Root directory.\n", w.mount[0] ? w.mount : "/");
	return res < 0 ? IO_FAIL : IO_OK;
}

const struct io_command io_parent_commands[] = {
	{ .name = "parent", .args = "[-psz] [-b size] [-i ino] [-n name]",
	  .oneline = "show the directories and names of the file (parent pointers)", .opts = parent_options,
	  .argmin = 0, .argmax = IO_ANY, .flags = 0, .run = parent_run },
	{ 0 },
};

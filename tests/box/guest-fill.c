/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that make files, directories and attributes with a wanted layout on disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dqblk_xfs.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "guest.h"

#define UNIT		512u			/* contents differ from unit to unit */
#define LINE		32u
/* Three calls of the public interface of XFS, by number, so that its headers need not be installed. */
#define XFS_GOINGDOWN	_IOR('X', 125, uint32_t)
#define XFS_GETXATTRA	_IOR('X', 45, struct fsxattr)
#define XFS_SET_RESERVE	_IOWR('X', 114, uint64_t[2])

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		die(path, "open");
	return fd;
}

static void close_file(int fd, const char *path)
{
	if (close(fd))
		die(path, "close");
}

/*
 * Text that tells file (by its seed) and position: a line repeated through each unit. It compresses well, and a
 * block in the wrong place, of the wrong file, or stale changes the checksum.
 */
static void make_text(char *buffer, size_t len, uint64_t seed, uint64_t offset)
{
	uint64_t unit = UINT64_MAX;
	char line[2 * LINE];
	size_t i;

	for (i = 0; i < len; i += LINE) {
		if ((offset + i) / UNIT != unit) {
			unit = (offset + i) / UNIT;
			snprintf(line, sizeof(line), "file %08x unit %012llx\n", (unsigned)seed,
				 (unsigned long long)unit);
		}
		memcpy(buffer + i, line, len - i < LINE ? len - i : LINE);
	}
}

static void write_text(int fd, const char *path, uint64_t seed, uint64_t from, uint64_t len, uint64_t to)
{
	static char buffer[1 << 16];
	uint64_t done;
	size_t part;

	for (done = 0; done < len; done += part) {
		part = len - done < sizeof(buffer) ? (size_t)(len - done) : sizeof(buffer);
		make_text(buffer, part, seed, from + done);
		if (pwrite(fd, buffer, part, (off_t)(to + done)) != (ssize_t)part)
			die(path, "write");
	}
}

static void change_space(int fd, const char *path, int mode, uint64_t offset, uint64_t len)
{
	if (fallocate(fd, mode, (off_t)offset, (off_t)len))
		die(path, "fallocate");
}

static void clone_range(int to, int from, const char *path, uint64_t from_offset, uint64_t len, uint64_t to_offset)
{
	struct file_clone_range range = {
		.src_fd = from, .src_offset = from_offset, .src_length = len, .dest_offset = to_offset,
	};

	if (ioctl(to, FICLONERANGE, &range))
		die(path, "clone range");
}

/* A permutation of 0..n-1 in which i+1 never follows i; the caller frees it. */
static uint32_t *make_permutation(uint32_t n, uint64_t seed)
{
	uint32_t *p = malloc(n * sizeof(*p)), i, j, half = (n + 1) / 2;

	if (!p)
		die("permutation", "memory");
	for (i = 0; i < n; i++)			/* 0 half 1 half+1 ...: no neighbours */
		p[i] = i % 2 ? half + i / 2 : i / 2;
	if (n == 2) {
		p[0] = 1;
		p[1] = 0;
	}
	for (i = 0; i + 1 < n; i += 2) {	/* exchange pairs that keep it so */
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		j = (uint32_t)(seed >> 33) % (n / 2) * 2;
		if (seed & 1 << 20 && j != i) {
			uint32_t a = p[i], b = p[i + 1];

			p[i] = p[j];
			p[i + 1] = p[j + 1];
			p[j] = a;
			p[j + 1] = b;
		}
	}
	return p;
}

/* write FILE SEED OFFSET LENGTH */
static int cmd_write(char **a)
{
	int fd = open_file(a[0], O_WRONLY | O_CREAT);
	uint64_t offset = number(a[2]);

	write_text(fd, a[0], number(a[1]), offset, number(a[3]), offset);
	close_file(fd, a[0]);
	return 0;
}

/* space MODE FILE OFFSET LENGTH: fallocate by name of the mode */
static int cmd_space(char **a)
{
	static const struct { const char *name; int mode; } modes[] = {
		{ "alloc", 0 }, { "keep", FALLOC_FL_KEEP_SIZE }, { "zero", FALLOC_FL_ZERO_RANGE },
		{ "punch", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE }, { "collapse", FALLOC_FL_COLLAPSE_RANGE },
		{ "insert", FALLOC_FL_INSERT_RANGE }, { "unshare", FALLOC_FL_UNSHARE_RANGE },
	};
	size_t i;
	int fd;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(a[0], modes[i].name)) {
			fd = open_file(a[1], O_RDWR | O_CREAT);
			change_space(fd, a[1], modes[i].mode, number(a[2]), number(a[3]));
			close_file(fd, a[1]);
			return 0;
		}
	fprintf(stderr, "guest: space: no mode %s\n", a[0]);
	return 2;
}

/* clone FROM TO */
static int cmd_clone(char **a)
{
	int from = open_file(a[0], O_RDONLY), to = open_file(a[1], O_WRONLY | O_CREAT);

	if (ioctl(to, FICLONE, from))
		die(a[1], "clone");
	close_file(to, a[1]);
	close_file(from, a[0]);
	return 0;
}

/* clonerange FROM OFFSET LENGTH TO OFFSET */
static int cmd_clonerange(char **a)
{
	int from = open_file(a[0], O_RDONLY), to = open_file(a[3], O_RDWR | O_CREAT);

	clone_range(to, from, a[3], number(a[1]), number(a[2]), number(a[4]));
	close_file(to, a[3]);
	close_file(from, a[0]);
	return 0;
}

/* sieve FILE SEED N BLOCK: N blocks of data, a hole of one block between each two: N extents */
static int cmd_sieve(char **a)
{
	uint64_t n = number(a[2]), block = number(a[3]), i;
	int fd = open_file(a[0], O_RDWR | O_CREAT | O_TRUNC);

	change_space(fd, a[0], 0, 0, (2 * n - 1) * block);
	write_text(fd, a[0], number(a[1]), 0, (2 * n - 1) * block, 0);
	if (fsync(fd))
		die(a[0], "fsync");
	for (i = 1; i < 2 * n - 1; i += 2)
		change_space(fd, a[0], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, i * block, block);
	close_file(fd, a[0]);
	return 0;
}

/* pair FILE FILE SEED N BLOCK: two files that grow by one block in turn; how many extents depends on the kernel */
static int cmd_pair(char **a)
{
	uint64_t seed = number(a[2]), n = number(a[3]), block = number(a[4]), i;
	int one = open_file(a[0], O_RDWR | O_CREAT | O_TRUNC), two = open_file(a[1], O_RDWR | O_CREAT | O_TRUNC);

	for (i = 0; i < n; i++) {
		change_space(one, a[0], 0, i * block, block);
		change_space(two, a[1], 0, i * block, block);
	}
	write_text(one, a[0], seed, 0, n * block, 0);
	write_text(two, a[1], seed + 1, 0, n * block, 0);
	close_file(two, a[1]);
	close_file(one, a[0]);
	return 0;
}

/* scatter FROM TO SEED N BLOCK: TO shares the first N blocks of FROM, in an order without neighbours: N extents */
static int cmd_scatter(char **a)
{
	uint64_t n = number(a[3]), block = number(a[4]), i;
	uint32_t *order = make_permutation((uint32_t)n, number(a[2]));
	int from = open_file(a[0], O_RDONLY), to = open_file(a[1], O_RDWR | O_CREAT | O_TRUNC);

	if (ftruncate(to, (off_t)(n * block)))
		die(a[1], "truncate");
	for (i = 0; i < n; i++)
		clone_range(to, from, a[1], order[i] * block, block, i * block);
	close_file(to, a[1]);
	close_file(from, a[0]);
	free(order);
	return 0;
}

/* scramble FILE SEED N BLOCK: no holes, nothing shared, but the blocks in an order without neighbours: N extents */
static int cmd_scramble(char **a)
{
	uint64_t seed = number(a[1]), n = number(a[2]), block = number(a[3]), i;
	uint32_t *order = make_permutation((uint32_t)n, seed);
	int to = open_file(a[0], O_RDWR | O_CREAT | O_TRUNC), from;
	char name[PATH_MAX];

	if ((size_t)snprintf(name, sizeof(name), "%s.source", a[0]) >= sizeof(name))
		die(a[0], "name too long");
	from = open_file(name, O_RDWR | O_CREAT | O_EXCL);
	change_space(from, name, 0, 0, n * block);
	for (i = 0; i < n; i++)
		write_text(from, name, seed, i * block, block, order[i] * block);
	if (fsync(from) || ftruncate(to, (off_t)(n * block)))
		die(name, "fsync");
	for (i = 0; i < n; i++)
		clone_range(to, from, a[0], order[i] * block, block, i * block);
	close_file(from, name);
	close_file(to, a[0]);
	free(order);
	if (unlink(name))
		die(name, "unlink");
	return 0;
}

/* stripes FILE SEED N BLOCK: N blocks, every second one unwritten: N extents. For even N the last lies past the end */
static int cmd_stripes(char **a)
{
	uint64_t seed = number(a[1]), n = number(a[2]), block = number(a[3]), i;
	int fd = open_file(a[0], O_RDWR | O_CREAT | O_TRUNC);

	if (ftruncate(fd, (off_t)((n - (n + 1) % 2) * block)))
		die(a[0], "truncate");
	change_space(fd, a[0], FALLOC_FL_KEEP_SIZE, 0, n * block);
	for (i = 0; i < n; i += 2)
		write_text(fd, a[0], seed, i * block, block, i * block);
	close_file(fd, a[0]);
	return 0;
}

/* socket PATH */
static int cmd_socket(char **a)
{
	if (mknod(a[0], S_IFSOCK | 0600, 0))
		die(a[0], "mknod");
	return 0;
}

/* xattrs FILE SEED N SMALLEST LARGEST: user.NAME attributes, sizes spread between the limits */
static int cmd_xattrs(char **a)
{
	uint64_t seed = number(a[1]), n = number(a[2]), low = number(a[3]), high = number(a[4]), i, size;
	static char value[1 << 16];
	char name[64];

	if (low > high || high > sizeof(value)) {
		fprintf(stderr, "guest: xattrs: sizes %s..%s\n", a[3], a[4]);
		return 2;
	}
	for (i = 0; i < n; i++) {
		size = low + (n > 1 ? (high - low) * i / (n - 1) : 0);
		make_text(value, (size_t)size, seed + i, 0);
		snprintf(name, sizeof(name), "user.attribute-%05llu", (unsigned long long)i);
		if (lsetxattr(a[0], name, value, (size_t)size, 0))
			die(a[0], "setxattr");
	}
	return 0;
}

/* setxattr FILE NAME VALUE */
static int cmd_setxattr(char **a)
{
	if (lsetxattr(a[0], a[1], a[2], strlen(a[2]), 0))
		die(a[0], a[1]);
	return 0;
}

/* mkfiles DIR SEED N LENGTH: files with LENGTH bytes each */
static int cmd_mkfiles(char **a)
{
	uint64_t seed = number(a[1]), n = number(a[2]), len = number(a[3]), i;
	char path[PATH_MAX];
	int fd;

	if (mkdir(a[0], 0755) && errno != EEXIST)
		die(a[0], "mkdir");
	for (i = 0; i < n; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/file-%05llu", a[0], (unsigned long long)i) >= sizeof(path))
			die(a[0], "name too long");
		fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
		write_text(fd, path, seed + i, 0, len, 0);
		close_file(fd, path);
	}
	return 0;
}

static void make_name(char *path, size_t room, const char *dir, uint64_t i, uint64_t len)
{
	int used = snprintf(path, room, "%s/", dir);
	size_t at = (size_t)used;

	if (used < 0 || at + len + 1 > room || len < 8 || len > 255)
		die(dir, "name length");
	memset(path + at, 'a' + (int)(i % 26), (size_t)len);
	snprintf(path + at, room - at, "%08llx", (unsigned long long)(i * 2654435761u & 0xffffffffu));
	if (len > 8)
		path[at + 8] = '-';
	path[at + len] = 0;
}

/*
 * biglinks FILE DIR N NAMELENGTH [KEEP]: N hard links to FILE in a directory, of which every KEEPth stays. Blocks of
 * the directory in which one name stays are kept, so it can have many extents and few names.
 */
static int cmd_biglinks(char **a)
{
	uint64_t n = number(a[2]), len = number(a[3]), keep = a[4] ? number(a[4]) : 1, i;
	char path[PATH_MAX];

	if (mkdir(a[1], 0755) && errno != EEXIST)
		die(a[1], "mkdir");
	for (i = 0; i < n; i++) {
		make_name(path, sizeof(path), a[1], i, len);
		if (link(a[0], path))
			die(path, "link");
	}
	for (i = 0; i < n; i++) {
		make_name(path, sizeof(path), a[1], i, len);
		if (keep && i % keep && unlink(path))
			die(path, "unlink");
	}
	return 0;
}

/* bigdir DIR N NAMELENGTH: N empty files */
static int cmd_bigdir(char **a)
{
	uint64_t n = number(a[1]), len = number(a[2]), i;
	char path[PATH_MAX];

	if (mkdir(a[0], 0755) && errno != EEXIST)
		die(a[0], "mkdir");
	for (i = 0; i < n; i++) {
		make_name(path, sizeof(path), a[0], i, len);
		close_file(open_file(path, O_WRONLY | O_CREAT | O_EXCL), path);
	}
	return 0;
}

/* Allocates in ever smaller pieces until not even a piece of `least` bytes is left. Returns the bytes got. */
static uint64_t take_space(int fd, const char *path, uint64_t least)
{
	uint64_t piece = 1ull << 30, size = 0;

	while (piece >= least) {
		if (!fallocate(fd, 0, (off_t)size, (off_t)piece))
			size += piece;
		else if (errno == ENOSPC)
			piece /= 2;
		else
			die(path, "fallocate");
	}
	return size;
}

/* soil FILE: write text over all free space and remove it, so that no block reads as zeros by luck */
static int cmd_soil(char **a)
{
	int fd = open_file(a[0], O_RDWR | O_CREAT | O_EXCL);
	uint64_t size = take_space(fd, a[0], 65536);

	write_text(fd, a[0], 0xdeadbeef, 0, size, 0);
	if (fsync(fd))
		die(a[0], "fsync");
	close_file(fd, a[0]);
	if (unlink(a[0]))
		die(a[0], "unlink");
	sync();
	return 0;
}

/* Extents that the inode records, also of a directory; in the attribute fork with `request` XFS_GETXATTRA. */
static uint64_t count_extents(const char *path, unsigned long request)
{
	struct fsxattr attr;
	int fd = open_file(path, O_RDONLY);

	if (fsync(fd) || ioctl(fd, request, &attr))
		die(path, "extent count");
	close_file(fd, path);
	return attr.fsx_nextents;
}

/* realtime DIR: new files below it get their data in the realtime section */
static int cmd_realtime(char **a)
{
	struct fsxattr attr;
	int fd = open_file(a[0], O_RDONLY);

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr))
		die(a[0], "get flags");
	attr.fsx_xflags |= FS_XFLAG_RTINHERIT;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &attr))
		die(a[0], "set flags");
	close_file(fd, a[0]);
	return 0;
}

/* limit user|group|project DEVICE ID BLOCKS INODES: hard limits, half of them soft; id 0 holds the defaults */
static int cmd_limit(char **a)
{
	struct fs_disk_quota q = { .d_version = FS_DQUOT_VERSION };
	int type = !strcmp(a[0], "user") ? 0 : !strcmp(a[0], "group") ? 1 : 2;

	q.d_flags = type == 0 ? FS_USER_QUOTA : type == 1 ? FS_GROUP_QUOTA : FS_PROJ_QUOTA;
	q.d_id = (uint32_t)number(a[2]);
	q.d_blk_hardlimit = number(a[3]) * 2;	/* basic blocks of 512 bytes */
	q.d_blk_softlimit = q.d_blk_hardlimit / 2;
	q.d_ino_hardlimit = number(a[4]);
	q.d_ino_softlimit = q.d_ino_hardlimit / 2;
	q.d_fieldmask = FS_DQ_LIMIT_MASK & ~(FS_DQ_RTBSOFT | FS_DQ_RTBHARD);
	if (quotactl(QCMD(Q_XSETQLIM, type), a[1], (int)q.d_id, (void *)&q))
		die(a[1], "set limits");
	return 0;
}

struct board {
	const char	*path;		/* file that holds all free space */
	int		fd;
	uint64_t	block, size, next;
};

/* Give back `n` more single blocks, none beside another free one of this file. */
static void free_singles(struct board *b, uint64_t n)
{
	for (; n; n--, b->next += 2 * b->block) {
		if (b->next + b->block > b->size) {
			errno = 0;
			die(b->path, "too little free space");
		}
		change_space(b->fd, b->path, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, b->next, b->block);
	}
	if (syncfs(b->fd))
		die(b->path, "syncfs");
}

/*
 * chess FILE N BLOCK: leave N blocks free, none beside another. FILE takes all space that the filesystem gives. What
 * it keeps in reserve for its own trees is contiguous still: FILE.reserve takes that in exchange for single blocks.
 */
static int cmd_chess(char **a)
{
	const uint64_t step = 64;
	uint64_t none[2] = { 0, 0 };	/* wanted, available */
	struct board b = { .path = a[0], .block = number(a[2]) };
	uint64_t before, extents = 0, taken = 0;
	char name[PATH_MAX];
	int fd;

	if ((size_t)snprintf(name, sizeof(name), "%s.reserve", a[0]) >= sizeof(name))
		die(a[0], "name too long");
	b.fd = open_file(a[0], O_RDWR | O_CREAT | O_EXCL);
	fd = open_file(name, O_RDWR | O_CREAT | O_EXCL);
	if (ioctl(b.fd, XFS_SET_RESERVE, none))
		die(a[0], "reserved blocks");
	b.size = take_space(b.fd, a[0], b.block);
	b.next = b.block;
	do {
		free_singles(&b, extents ? step + step / 2 : 4 * step);	/* more: the map of this file grows */
		change_space(fd, name, 0, taken, step * b.block);
		taken += step * b.block;
		before = extents;
		extents = count_extents(name, FS_IOC_FSGETXATTR);
	} while (extents - before < step - 2);
	free_singles(&b, number(a[1]));
	close_file(fd, name);
	close_file(b.fd, a[0]);
	return 0;
}

/* extents FILE [LEAST [MOST]]: print data and attribute extents; fail when the data extents are not in the range */
static int cmd_extents(char **a)
{
	uint64_t data = count_extents(a[0], FS_IOC_FSGETXATTR), low = a[1] ? number(a[1]) : 0;
	uint64_t high = a[1] ? (a[2] ? number(a[2]) : low) : UINT64_MAX;

	printf("extents %s data %llu attr %llu\n", a[0], (unsigned long long)data,
	       (unsigned long long)count_extents(a[0], XFS_GETXATTRA));
	if (data >= low && data <= high)
		return 0;
	fprintf(stderr, "guest: %s: %llu extents, wanted %s\n", a[0], (unsigned long long)data, a[1]);
	return 1;
}

/* attrextents FILE LEAST */
static int cmd_attrextents(char **a)
{
	uint64_t got = count_extents(a[0], XFS_GETXATTRA);

	printf("extents %s attr %llu\n", a[0], (unsigned long long)got);
	if (got >= number(a[1]))
		return 0;
	fprintf(stderr, "guest: %s: %llu attribute extents, wanted at least %s\n", a[0], (unsigned long long)got, a[1]);
	return 1;
}

/* freeze DIR, thaw DIR, down DIR MODE (0 flush all, 1 flush the log, 2 nothing), flush DIR, space left */
static int cmd_freeze(char **a)
{
	if (ioctl(open_file(a[0], O_RDONLY), FIFREEZE, 0))
		die(a[0], "freeze");
	return 0;
}

static int cmd_thaw(char **a)
{
	if (ioctl(open_file(a[0], O_RDONLY), FITHAW, 0))
		die(a[0], "thaw");
	return 0;
}

static int cmd_down(char **a)
{
	uint32_t mode = (uint32_t)number(a[1]);

	if (ioctl(open_file(a[0], O_RDONLY), XFS_GOINGDOWN, &mode))
		die(a[0], "shutdown");
	return 0;
}

static int cmd_flush(char **a)
{
	if (syncfs(open_file(a[0], O_RDONLY)))
		die(a[0], "syncfs");
	return 0;
}

static int cmd_statfs(char **a)
{
	struct statfs s;

	if (statfs(a[0], &s))
		die(a[0], "statfs");
	printf("type %lx bsize %lu blocks %llu free %llu available %llu files %llu ffree %llu\n",
	       (unsigned long)s.f_type, (unsigned long)s.f_bsize, (unsigned long long)s.f_blocks,
	       (unsigned long long)s.f_bfree, (unsigned long long)s.f_bavail, (unsigned long long)s.f_files,
	       (unsigned long long)s.f_ffree);
	return 0;
}

static const struct command {
	const char	*name;
	int		(*run)(char **args);
	int		least, most;
	const char	*arguments;
} commands[] = {
	{ "attrextents", cmd_attrextents, 2, 2, "FILE LEAST" },
	{ "bigdir", cmd_bigdir, 3, 3, "DIR N NAMELENGTH" },
	{ "biglinks", cmd_biglinks, 4, 5, "FILE DIR N NAMELENGTH [KEEP]" },
	{ "chess", cmd_chess, 3, 3, "FILE N BLOCK" },
	{ "clone", cmd_clone, 2, 2, "FROM TO" },
	{ "clonerange", cmd_clonerange, 5, 5, "FROM OFFSET LENGTH TO OFFSET" },
	{ "down", cmd_down, 2, 2, "DIR 0|1|2" },
	{ "extents", cmd_extents, 1, 3, "FILE [LEAST [MOST]]" },
	{ "flush", cmd_flush, 1, 1, "DIR" },
	{ "freeze", cmd_freeze, 1, 1, "DIR" },
	{ "limit", cmd_limit, 5, 5, "user|group|project DEVICE ID KIB INODES" },
	{ "mkfiles", cmd_mkfiles, 4, 4, "DIR SEED N LENGTH" },
	{ "pair", cmd_pair, 5, 5, "FILE FILE SEED N BLOCK" },
	{ "realtime", cmd_realtime, 1, 1, "DIR" },
	{ "scatter", cmd_scatter, 5, 5, "FROM TO SEED N BLOCK" },
	{ "scramble", cmd_scramble, 4, 4, "FILE SEED N BLOCK" },
	{ "setxattr", cmd_setxattr, 3, 3, "FILE NAME VALUE" },
	{ "sieve", cmd_sieve, 4, 4, "FILE SEED N BLOCK" },
	{ "socket", cmd_socket, 1, 1, "PATH" },
	{ "soil", cmd_soil, 1, 1, "FILE" },
	{ "space", cmd_space, 4, 4, "alloc|keep|zero|punch|collapse|insert|unshare FILE OFFSET LENGTH" },
	{ "statfs", cmd_statfs, 1, 1, "DIR" },
	{ "stripes", cmd_stripes, 4, 4, "FILE SEED N BLOCK" },
	{ "thaw", cmd_thaw, 1, 1, "DIR" },
	{ "write", cmd_write, 4, 4, "FILE SEED OFFSET LENGTH" },
	{ "xattrs", cmd_xattrs, 5, 5, "FILE SEED N SMALLEST LARGEST" },
};

int fill_main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (strcmp(argv[0], c->name))
			continue;
		if (argc - 1 >= c->least && argc - 1 <= c->most)
			return c->run(argv + 1);
		fprintf(stderr, "usage: guest %s %s\n", c->name, c->arguments);
		return 2;
	}
	fprintf(stderr, "usage: guest COMMAND ARGUMENTS\n  walk DIR [START]\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stderr, "  %s %s\n", commands[i].name, commands[i].arguments);
	return 2;
}

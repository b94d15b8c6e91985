/* SPDX-License-Identifier: BSD-2-Clause */
/* file_mounted.c - is a block device, or an image through a loop device, mounted? */
#include "libxfs/device/file_priv.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The source column of mountinfo writes blank, tab, newline and backslash as three octal digits. In place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* True when this line of mountinfo is about the block device; its numbers tell, or (btrfs and others) its source. */
static bool line_names(char *line, dev_t rdev)
{
	unsigned maj, min;
	char *source, *end;
	struct stat st;

	if (sscanf(line, "%*d %*d %u:%u", &maj, &min) == 2 && makedev(maj, min) == rdev)
		return true;
	/* " - type source options" follows a variable number of fields */
	source = strstr(line, " - ");
	source = source ? strchr(source + 3, ' ') : NULL;
	if (!source || *++source != '/')
		return false;
	end = strchr(source, ' ');
	if (end)
		*end = '\0';
	unescape(source);
	return stat(source, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == rdev;
}

static bool block_is_mounted(dev_t rdev)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t room = 0;

	if (!file)
		return false;	/* no /proc: O_EXCL still protects */
	while (!found && getline(&line, &room, file) > 0)
		found = line_names(line, rdev);
	free(line);
	fclose(file);
	return found;
}

/* First line of a small file in sysfs, without its end. False when there is none. */
static bool line_read(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(buf, (int)size, file);

	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	if (file)
		fclose(file);
	return ok;
}

/* True when this entry of /sys/block is a mounted loop device above the file. */
static bool loop_holds(const char *name, const struct stat *want)
{
	char path[300], text[4096];
	unsigned maj, min;
	struct stat st;

	if (strncmp(name, "loop", 4))
		return false;
	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	if (!line_read(path, text, sizeof(text)) || stat(text, &st) || st.st_dev != want->st_dev ||
	    st.st_ino != want->st_ino)
		return false;
	snprintf(path, sizeof(path), "/sys/block/%s/dev", name);
	return line_read(path, text, sizeof(text)) && sscanf(text, "%u:%u", &maj, &min) == 2 &&
	       block_is_mounted(makedev(maj, min));
}

bool xfs_file_dev_is_mounted(const struct stat *st)
{
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (S_ISBLK(st->st_mode))
		return block_is_mounted(st->st_rdev);
	dir = opendir("/sys/block");
	while (dir && !found && (entry = readdir(dir)))
		found = loop_holds(entry->d_name, st);
	if (dir)
		closedir(dir);
	return found;
}

bool xfs_dev_is_mounted(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && xfs_file_dev_is_mounted(&st);
}

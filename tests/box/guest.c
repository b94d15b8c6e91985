/* SPDX-License-Identifier: BSD-2-Clause */
/* Helper program of the kernel box: makes files with a wanted layout, and lists a tree with checksums. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

_Noreturn void die(const char *path, const char *text)
{
	fprintf(stderr, "guest: %s: %s%s%s\n", path, text, errno ? ": " : "", errno ? strerror(errno) : "");
	exit(1);
}

uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (end == text || *text == '-' || errno)
		goto bad;
	switch (*end) {
	case 'g': value <<= 10; /* fall through */
	case 'm': value <<= 10; /* fall through */
	case 'k': value <<= 10; end++;
	}
	if (!*end)
		return value;
bad:
	fprintf(stderr, "guest: %s is not a number\n", text);
	exit(2);
}

/* Copies stdin to stdout with a bar before each line, at once, so that little is lost in a crash. */
static int relay(void)
{
	static char line[1 << 16];

	setvbuf(stdout, NULL, _IOLBF, 1 << 12);
	while (fgets(line, sizeof(line), stdin))
		printf("|%s%s", line, strchr(line, '\n') ? "" : "\n");
	return fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "walk"))
		return walk_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "relay"))
		return relay();
	return fill_main(argc - 1, argv + 1);
}

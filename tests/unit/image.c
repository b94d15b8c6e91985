/* SPDX-License-Identifier: BSD-2-Clause */
/* image.c - images that tests run on, in memory. */
#include "tests/unit/image.h"

#include <check.h>
#include <stdlib.h>

FILE *image_stream(const char *name)
{
	const char *src = getenv("XFSKIT_SRC");
	char cmd[4200];
	FILE *f;

	snprintf(cmd, sizeof(cmd), "xz -dc '%s/tests/data/%s'", src ? src : ".", name);
	f = popen(cmd, "r");
	ck_assert_ptr_nonnull(f);
	return f;
}

struct memdev *image_load(const char *name)
{
	size_t room = (64 << 20) + 1, len = 0, got;
	FILE *f = image_stream(name);
	struct memdev *m = memdev_new(room);

	ck_assert_ptr_nonnull(m);
	while ((got = fread(m->bytes + len, 1, room - len, f)) > 0)
		len += got;
	ck_assert_msg(pclose(f) == 0 && len > 0 && len < room, "%s cannot be unpacked", name);
	m->dev.size = len;
	return m;
}

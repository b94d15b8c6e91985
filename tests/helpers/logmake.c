/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logmake.c - test program: leaves chains of changes in the log of an image, as a machine does that stops in their
 * middle.
 *
 * logmake [-s] IMAGE WORD...
 *	-s			in the byte order of the other kind of machine
 *	take:BLOCK:LEN		before: these blocks are allocated, nobody's
 *	reflink:INO		before: blocks of this file may be shared
 *	file:NAME  link:NAME:INO  unlink:NAME:INO	before: names in the root directory, without parent pointers
 *	exchange		before: the filesystem gets the feature
 *	attrs			before: the superblock says that the log may hold attribute operations
 *	efi:BLOCK:LEN  rui:OP:OWNER:BLOCK:OFF:LEN  cui:OP:BLOCK:LEN  bui:OP:INO:OFF:BLOCK:LEN	(OP: with flags)
 *	rt-efi:...  rt-rui:...  rt-cui:...	the same of the realtime section
 *	xmi:INO:GEN:INO:GEN:OFF:OFF:COUNT:FLAGS:SIZE:SIZE
 *	attri:OP:INO:GEN:FILTER:NAME[:VALUE[:NEWNAME:NEWVALUE]]	values in hexadecimal digits
 *	efd:N  rud:N  cud:N  bud:N  attrd:N  xmd:N	what ends the Nth intent, from 0 on
 *	stray			an inode item whose inode cannot be
 *	commit			what follows is another checkpoint
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/inode/alloc.h"
#include "libxfs/inode/remap.h"
#include "libxfs/log/state.h"
#include "libxfs/log/writer.h"
#include "libxfs/name/dirchange.h"
#include "libxfs/transaction/transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 400u
#define FIRST_ID 0x1000u

struct making {
	struct xfs_devset dev;
	bool le;
	struct xfs_log_region regions[MOST];
	size_t n;
	uint64_t id;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "logmake: %s: %s\n", what, err ? xfs_error_text(err) : "is not valid");
	exit(1);
}

/* ---- words ---- */

static unsigned numbers(const char *word, uint64_t *v, unsigned most)
{
	unsigned n = 0;
	const char *p = strchr(word, ':');
	char *end;

	for (; p && n < most; n++) {
		v[n] = strtoull(p + 1, &end, 0);
		p = *end == ':' ? end : NULL;
	}
	return n;
}

static uint8_t *region(struct making *m, uint32_t len)
{
	uint8_t *p = calloc(1, len ? len : 1);

	if (!p || m->n == MOST)
		die("items", -XFS_E_NOMEM);
	m->regions[m->n++] = (struct xfs_log_region){ p, len };
	return p;
}

static uint8_t *head(struct making *m, unsigned type, unsigned size, unsigned n, uint32_t len)
{
	uint8_t *p = region(m, len);

	xfs_st16(p, m->le, (uint16_t)type);
	xfs_st16(p + 2, m->le, (uint16_t)size);
	xfs_st32(p + 4, m->le, n);
	xfs_st64(p + 8, m->le, m->id++);
	return p;
}

/* Of RUI and BUI. */
static void map_extent(struct making *m, uint8_t *p, uint64_t owner, uint64_t block, uint64_t off, uint64_t len,
		       uint64_t op)
{
	xfs_st64(p, m->le, owner);
	xfs_st64(p + 8, m->le, block);
	xfs_st64(p + 16, m->le, off);
	xfs_st32(p + 24, m->le, (uint32_t)len);
	xfs_st32(p + 28, m->le, (uint32_t)op);
}

static void put_xmi(struct making *m, const uint64_t *v)
{
	static const unsigned off[] = { 16, 32, 24, 36, 40, 48, 56, 64, 72, 80 };
	uint8_t *p = head(m, XFS_LI_XMI, 1, 0, 88);

	for (unsigned i = 0; i < 10; i++) {
		if (i == 1 || i == 3)
			xfs_st32(p + off[i], m->le, (uint32_t)v[i]);
		else
			xfs_st64(p + off[i], m->le, v[i]);
	}
}

static uint32_t unhex(const char *text, uint8_t *to)
{
	uint32_t n = 0;
	unsigned byte;

	for (; text[2 * n] && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		to[n] = (uint8_t)byte;
	return n;
}

static void put_attri(struct making *m, char *word)
{
	char *part[9] = { word };
	uint8_t value[2][70000], *p;
	uint32_t len[2] = { 0, 0 };
	unsigned n = 1, size = 1;

	for (char *at = word; (at = strchr(at, ':')) && n < 9; n++) {
		*at++ = 0;
		part[n] = at;
	}
	if (n < 6)
		die("attri", 0);
	for (unsigned k = 0; k < 2 && 6 + 2 * k < n; k++)
		len[k] = unhex(part[6 + 2 * k], value[k]);
	size += 1 + (len[0] != 0) + 2 * (n == 9);
	p = head(m, XFS_LI_ATTRI, size, (uint32_t)strtoul(part[3], NULL, 0), 40);
	xfs_st64(p + 16, m->le, strtoull(part[2], NULL, 0));
	xfs_st32(p + 24, m->le, (uint32_t)strtoul(part[1], NULL, 0));
	if (n == 9) {
		xfs_st16(p + 28, m->le, (uint16_t)strlen(part[5]));
		xfs_st16(p + 30, m->le, (uint16_t)strlen(part[7]));
	} else {
		xfs_st32(p + 28, m->le, (uint32_t)strlen(part[5]));
	}
	xfs_st32(p + 32, m->le, len[0]);
	xfs_st32(p + 36, m->le, (uint32_t)strtoul(part[4], NULL, 0));
	memcpy(region(m, (uint32_t)strlen(part[5])), part[5], strlen(part[5]));
	if (n == 9)
		memcpy(region(m, (uint32_t)strlen(part[7])), part[7], strlen(part[7]));
	for (unsigned k = 0; k < 2; k++)
		if (len[k])
			memcpy(region(m, len[k]), value[k], len[k]);
}

static const struct {
	const char *word;
	unsigned type;
} dones[] = {
	{ "efd:", XFS_LI_EFD }, { "rud:", XFS_LI_RUD }, { "cud:", XFS_LI_CUD }, { "bud:", XFS_LI_BUD },
	{ "attrd:", XFS_LI_ATTRD }, { "xmd:", XFS_LI_XMD },
};

static bool put_done(struct making *m, const char *word)
{
	uint64_t n;

	for (unsigned i = 0; i < XFS_ARRAY_SIZE(dones); i++)
		if (!strncmp(word, dones[i].word, strlen(dones[i].word)) && numbers(word, &n, 1) == 1) {
			xfs_st64(head(m, dones[i].type, 1, 0, 16) + 8, m->le, FIRST_ID + n);
			m->id--;
			return true;
		}
	return false;
}

static void put_stray(struct making *m)
{
	uint8_t *p = head(m, XFS_LI_INODE, 2, 1, 56);

	m->id--;
	memset(p + 8, 0, 48);
	xfs_st64(p + 16, m->le, UINT64_MAX >> 1);
	region(m, 176);
}

static void put_item(struct making *m, char *word);

static bool put_realtime(struct making *m, char *word)
{
	size_t at = m->n;
	uint8_t *p;

	if (strncmp(word, "rt-efi:", 7) && strncmp(word, "rt-rui:", 7) && strncmp(word, "rt-cui:", 7))
		return false;
	put_item(m, word + 3);
	p = (uint8_t *)m->regions[at].p;
	xfs_st16(p, m->le, word[3] == 'e' ? XFS_LI_EFI_RT : word[3] == 'r' ? XFS_LI_RUI_RT : XFS_LI_CUI_RT);
	return true;
}

static void put_item(struct making *m, char *word)
{
	uint64_t v[10];
	uint8_t *p;

	if (!strncmp(word, "efi:", 4) && numbers(word, v, 2) == 2) {
		p = head(m, XFS_LI_EFI, 1, 1, 32);
		xfs_st64(p + 16, m->le, v[0]);
		xfs_st32(p + 24, m->le, (uint32_t)v[1]);
	} else if (!strncmp(word, "rui:", 4) && numbers(word, v, 5) == 5) {
		map_extent(m, head(m, XFS_LI_RUI, 1, 1, 48) + 16, v[1], v[2], v[3], v[4], v[0]);
	} else if (!strncmp(word, "cui:", 4) && numbers(word, v, 3) == 3) {
		p = head(m, XFS_LI_CUI, 1, 1, 32);
		xfs_st64(p + 16, m->le, v[1]);
		xfs_st32(p + 24, m->le, (uint32_t)v[2]);
		xfs_st32(p + 28, m->le, (uint32_t)v[0]);
	} else if (!strncmp(word, "bui:", 4) && numbers(word, v, 5) == 5) {
		map_extent(m, head(m, XFS_LI_BUI, 1, 1, 48) + 16, v[1], v[3], v[2], v[4], v[0]);
	} else if (!strncmp(word, "xmi:", 4) && numbers(word, v, 10) == 10) {
		put_xmi(m, v);
	} else if (!strncmp(word, "attri:", 6)) {
		put_attri(m, word);
	} else if (!strcmp(word, "stray")) {
		put_stray(m);
	} else if (!put_done(m, word) && !put_realtime(m, word)) {
		die(word, 0);
	}
}

/* ---- before ---- */

/* A filesystem that is changed in one transaction. */
struct change {
	struct xfs_fs *fs;
	struct xfs_edit *e;
	struct xfs_trans t;
};

static int change_open(struct making *m, struct change *c)
{
	int err = xfs_fs_open(&c->fs, &m->dev, NULL, NULL);

	if (!err)
		err = xfs_edit_open(&c->e, c->fs, NULL);
	return err ? err : xfs_trans_begin(&c->t, c->e, 0);
}

static void change_end(struct change *c, const char *what, int err)
{
	if (!err)
		err = xfs_trans_commit(&c->t);
	if (!err)
		err = xfs_edit_quiesce(c->e);
	if (err)
		die(what, err);
	xfs_edit_close(c->e);
	xfs_fs_close(c->fs);
}

static void take(struct making *m, uint64_t block, uint32_t len)
{
	struct xfs_alloc want = { .how = XFS_ALLOC_EXACT, .minlen = len, .maxlen = len, .owner = XFS_OWN_NULL };
	struct xfs_agspace *ag;
	struct change c;
	int err = change_open(m, &c);

	if (!err)
		err = xfs_live_ag(xfs_edit_live(c.e), &c.t.change, xfs_fsbno_agno(&c.fs->geo, XFS_FSBNO(block)), &ag);
	if (!err) {
		want.target = xfs_fsbno_agbno(&c.fs->geo, XFS_FSBNO(block)).v;
		err = xfs_agspace_alloc(ag, &want);
	}
	change_end(&c, "take", err);
}

static int get(struct change *c, uint64_t ino, struct xfs_live_inode **li)
{
	int err = xfs_live_inode_get(xfs_edit_live(c->e), ino, li);

	return err ? err : xfs_live_inode_join(*li, &c->t.change);
}

static void allow_sharing(struct making *m, uint64_t ino)
{
	struct xfs_live_inode *li = NULL;
	struct change c;
	int err = change_open(m, &c);

	if (!err)
		err = get(&c, ino, &li);
	if (!err)
		err = xfs_reflink_allow(li);
	xfs_live_inode_put(li);
	change_end(&c, "reflink", err);
}

/* `links`: by how much the inode has more names; ino 0: a new one. */
static void change_name(struct making *m, const char *word, uint64_t ino, int links)
{
	const char *name = strchr(word, ':') + 1;
	struct xfs_live_inode *root = NULL, *li = NULL;
	struct xfs_inode_want want = { .mode = 0100644, .nlink = 1 };
	size_t len = strcspn(name, ":");
	struct change c;
	int err = change_open(m, &c);

	if (!err)
		err = get(&c, c.fs->geo.sb.rootino, &root);
	if (!err && ino)
		err = get(&c, ino, &li);
	if (!err && !ino) {
		want.near = root->i.ino.v;
		err = xfs_inode_alloc(xfs_edit_live(c.e), &c.t.change, &want, &li);
	}
	if (!err)
		err = links < 0 ? xfs_dir_remove(root, name, len) : xfs_dir_add(root, name, len, li->i.ino.v,
										xfs_mode_ftype(0100644));
	if (!err && ino) {
		li->i.d.core.nlinkv2 += (uint32_t)links;
		xfs_live_inode_dirty(li, XFS_LIVE_CORE);
	}
	if (!err && !ino)
		printf("%llu %u\n", (unsigned long long)li->i.ino.v, li->i.d.core.gen);
	xfs_live_inode_put(root);
	xfs_live_inode_put(li);
	change_end(&c, word, err);
}

/* Feature bits in all superblocks (log features: in the first). */
static void set_feature(struct making *m, uint32_t incompat, uint32_t log_incompat)
{
	struct xfs_sb sb;
	uint8_t *p;
	int err = xfs_fs_read_sb(m->dev.data, 0, &sb);
	uint32_t agcount = sb.agcount;
	uint64_t step = (uint64_t)sb.agblocks * sb.blocksize;

	p = err ? NULL : malloc(sb.sectsize);
	for (uint32_t i = 0; i < agcount && p && !err; i++) {
		err = xfs_dev_read(m->dev.data, step * i, p, sb.sectsize);
		xfs_sb_decode(&sb, p);
		sb.features_incompat |= incompat;
		sb.features_log_incompat |= i ? 0 : log_incompat;
		xfs_sb_encode(p, &sb);
		xfs_crc32c_store(p, sb.sectsize, XFS_SB_CRC_OFF);
		if (!err)
			err = xfs_dev_write(m->dev.data, step * i, p, sb.sectsize);
	}
	free(p);
	if (err)
		die("superblock", err);
}

static bool prepare(struct making *m, const char *word)
{
	uint64_t v[2];

	if (!strncmp(word, "take:", 5) && numbers(word, v, 2) == 2)
		take(m, v[0], (uint32_t)v[1]);
	else if (!strncmp(word, "reflink:", 8) && numbers(word, v, 1) == 1)
		allow_sharing(m, v[0]);
	else if (!strncmp(word, "file:", 5))
		change_name(m, word, 0, 1);
	else if (!strncmp(word, "link:", 5) && strrchr(word + 5, ':'))
		change_name(m, word, strtoull(strrchr(word, ':') + 1, NULL, 0), 1);
	else if (!strncmp(word, "unlink:", 7) && strrchr(word + 7, ':'))
		change_name(m, word, strtoull(strrchr(word, ':') + 1, NULL, 0), -1);
	else if (!strcmp(word, "exchange"))
		set_feature(m, XFS_SB_INCOMPAT_EXCHRANGE, 0);
	else if (!strcmp(word, "attrs"))
		set_feature(m, 0, XFS_SB_LOG_INCOMPAT_XATTRS);
	else
		return false;
	return true;
}

/* ---- the log ---- */

static void checkpoint(struct making *m, struct xfs_log_writer *w)
{
	uint64_t lsn;
	int err = xfs_log_checkpoint_write(w, m->regions, m->n, &lsn);

	if (err)
		die("log", err);
	while (m->n)
		free((void *)m->regions[--m->n].p);
}

int main(int argc, char **argv)
{
	struct xfs_log_writing how = { .swapped = false };
	struct making m = { .id = FIRST_ID };
	struct xfs_log_state state;
	struct xfs_log_writer *w;
	struct xfs_fs *fs;
	int opt, err;

	while ((opt = getopt(argc, argv, "s")) != -1)
		how.swapped |= opt == 's';
	if (optind + 1 >= argc)
		return 2;
	m.le = XFS_HOST_LE != how.swapped;
	err = xfs_dev_file(&m.dev.data, argv[optind++], 0, 0, NULL);
	if (err)
		die(argv[optind - 1], err);
	while (optind < argc && prepare(&m, argv[optind]))
		optind++;
	err = xfs_fs_open(&fs, &m.dev, NULL, NULL);
	if (!err)
		err = xfs_log_state(fs, &state);
	if (!err)
		err = xfs_log_writer_open(&w, fs, &state, &how);
	if (err)
		die("log", err);
	for (; optind < argc; optind++) {
		if (!strcmp(argv[optind], "commit"))
			checkpoint(&m, w);
		else
			put_item(&m, argv[optind]);
	}
	if (m.n)
		checkpoint(&m, w);
	xfs_log_writer_close(w);
	xfs_fs_close(fs);
	xfs_dev_close(m.dev.data);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* classic.c - findings in the words of upstream. */
#include "repair/classic.h"
#include "repair/repair.h"
#include "repair/sbcopy.h"
#include "repair/scan.h"
#include "repair/superblock.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/base/types.h"
#include "libxfs/ondisk/agheaders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum how { ALSO, INSTEAD };

static const struct {
	enum xfs_finding_id id;
	const char *structure, *field;
	enum how how;
	const char *doing, *would;
} words[] = {
#define X(id, structure, field, how, doing, would) { XFS_F_##id, structure, field, how, doing, would },
#include "repair/classic.def"
#undef X
};

static bool fits(const char *wanted, const char *is)
{
	return !wanted || (is && !strcmp(wanted, is));
}

/* ---- lines of the table ---- */

/* What stands for a letter; false: the finding does not say it. */
static bool value_of(const struct repair_classic *c, const struct xfs_finding *f, char letter, char *out, size_t size)
{
	const struct { char letter; uint64_t value, none; } letters[] = {
		{ 'a', f->agno, XFS_NULL32 }, { 'b', f->agbno, XFS_NULL32 }, { 'i', f->ino, XFS_NULL64 },
		{ 'l', f->len, XFS_NULL64 }, { 'f', f->found, XFS_NULL64 }, { 'x', f->found, XFS_NULL64 },
		{ 's', f->found, XFS_NULL64 }, { 'e', f->expected, XFS_NULL64 },
		{ 'm', c->r->geo.agfl_size - 1, XFS_NULL64 },
	};

	if (letter == 'd') {
		snprintf(out, size, "%s", f->detail);
		return f->detail[0];
	}
	for (size_t i = 0; i < XFS_ARRAY_SIZE(letters); i++) {
		if (letters[i].letter != letter)
			continue;
		if (letter == 'x')
			snprintf(out, size, "%" PRIx64, letters[i].value);
		else if (letter == 's')
			snprintf(out, size, "%" PRId32, (int32_t)(uint32_t)letters[i].value);
		else
			snprintf(out, size, "%" PRIu64, letters[i].value);
		return letters[i].value != letters[i].none;
	}
	return false;
}

static bool fill_in(const struct repair_classic *c, const struct xfs_finding *f, const char *line, char *out,
		    size_t size)
{
	size_t n = 0;

	for (; *line && n + 1 < size; line++) {
		if (*line != '%') {
			out[n++] = *line;
			continue;
		}
		if (!value_of(c, f, *++line, out + n, size - n))
			return false;
		n += strlen(out + n);
	}
	out[n] = '\0';
	return true;
}

static bool by_table(const struct repair_classic *c, const struct xfs_finding *f)
{
	char line[512];

	for (size_t i = 0; i < XFS_ARRAY_SIZE(words); i++) {
		const char *text = c->r->no_modify && words[i].would ? words[i].would : words[i].doing;

		/* a field that a detail calls something else is another one to its inode */
		if (words[i].id != f->id || (f->id == XFS_F_INODE_FIELD && f->detail[0]) ||
		    !fits(words[i].structure, f->structure) || !fits(words[i].field, f->field) ||
		    !fill_in(c, f, text, line, sizeof(line)))
			continue;
		fprintf(stderr, "%s\n", line);
		return words[i].how == INSTEAD;
	}
	return false;
}

/* ---- headers of AGs (section 4) ---- */

struct header {
	const struct repair_classic *c;
	const struct xfs_finding *f;	/* that it is something else */
	const char *name;
	uint32_t agno;
	uint8_t *sector;
	const struct xfs_agf *agf;	/* whose free list is told behind its identity */
	bool named;			/* the fields that identify it are told */
	bool said;			/* something of its list */
};

static void say_reset(const struct repair_classic *c, const char *name, uint32_t agno)
{
	fprintf(stderr, "%s bad %s for ag %u\n", c->r->no_modify ? "would reset" : "reset", name, agno);
}

static bool is_identity(const char *field)
{
	return fits("versionnum", field) || fits("seqno", field) || fits("length", field);
}

static void say_sum(const struct header *h, size_t crc_at)
{
	const struct xfs_geometry *geo = &h->c->r->geo;

	if (geo->v5 && !xfs_crc32c_check(h->sector, geo->sectsize, crc_at))
		fprintf(stderr, "%s has bad CRC for ag %u\n", h->name, h->agno);
}

/* Entries from first to last, around the end; upstream does not look where the count is zero. */
static void say_entries(struct header *h, const struct xfs_agf *a)
{
	const struct xfs_geometry *geo = &h->c->r->geo;
	uint32_t first = a->flfirst < geo->agfl_size ? a->flfirst : 0,
		 last = a->fllast < geo->agfl_size ? a->fllast : 0,
		 n = (last + geo->agfl_size - first) % geo->agfl_size + 1;

	if (!a->flcount)
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = (first + i) % geo->agfl_size,
			 agbno = xfs_be32(h->sector + xfs_agfl_slot_off(geo->v5, at));

		if (agbno > geo->agfl_block && agbno < xfs_ag_length(geo, XFS_AGNO(h->agno)))
			continue;
		fprintf(stderr, "bad agbno %u in agfl, agno %u\n", agbno, h->agno);
		h->said = true;
	}
	if (n == a->flcount)
		return;
	fprintf(stderr, "freeblk count %u != flcount %d in ag %u\n", n, (int32_t)a->flcount, h->agno);
	h->said = true;
}

static bool read_sector(const struct header *h, unsigned n)
{
	const struct repair *r = h->c->r;

	return !xfs_dev_read(r->dev.data, xfs_ag_header_daddr(&r->geo, XFS_AGNO(h->agno), n).v * XFS_BBSIZE, h->sector,
			     r->geo.sectsize);
}

/* Behind what identifies a header. */
static void say_named(struct header *h)
{
	if (h->named)
		return;
	h->named = true;
	say_reset(h->c, h->name, h->agno);
	if (h->agf && read_sector(h, 3))
		say_entries(h, h->agf);
}

static void field_of_header(void *payload, const struct xfs_finding *f)
{
	struct header *h = payload;

	if (!is_identity(f->field) && !fits("flfirst", f->field) && !fits("fllast", f->field))
		say_named(h);
	by_table(h->c, f);
}

static void say_agf(struct header *h)
{
	const struct xfs_sink sink = { field_of_header, h };
	const struct xfs_geometry *geo = &h->c->r->geo;
	struct xfs_agf a;

	xfs_agf_load(&a, geo->v5, h->sector);
	h->agf = &a;
	say_sum(h, XFS_OFF(agf, crc));
	by_table(h->c, h->f);
	xfs_agf_check(geo, XFS_AGNO(h->agno), &a, &sink);
	say_named(h);
}

static void say_agi(struct header *h)
{
	const struct xfs_sink sink = { field_of_header, h };
	const struct xfs_geometry *geo = &h->c->r->geo;
	uint32_t unlinked[XFS_AGI_BUCKETS];
	struct xfs_agi a;

	xfs_agi_load(&a, unlinked, geo->v5, h->sector);
	say_sum(h, XFS_OFF(agi, crc));
	by_table(h->c, h->f);
	xfs_agi_check(geo, XFS_AGNO(h->agno), &a, &sink);
	say_named(h);
	if (geo->inobtcnt && a.ino_blocks)
		fprintf(stderr, "bad inobt block count %u, saw 0\n", a.ino_blocks);
	if (geo->inobtcnt && a.fino_blocks)
		fprintf(stderr, "bad finobt block count %u, saw 0\n", a.fino_blocks);
}

static void say_agfl(struct header *h)
{
	struct xfs_agf a;

	if (!read_sector(h, 1))
		return;
	xfs_agf_load(&a, h->c->r->geo.v5, h->sector);
	if (!read_sector(h, 3))
		return;
	say_sum(h, XFS_OFF(agfl, crc));
	say_entries(h, &a);
}

static bool say_header(const struct repair_classic *c, const struct xfs_finding *f, void (*say)(struct header *),
		       unsigned n)
{
	struct header h = { .c = c, .f = f, .name = f->structure, .agno = f->agno,
			    .sector = malloc(c->r->geo.sectsize) };

	if (h.sector && read_sector(&h, n))
		say(&h);
	free(h.sector);
	return f->id == XFS_F_BLOCK_MAGIC || h.said;
}

static bool by_bytes(const struct repair_classic *c, const struct xfs_finding *f)
{
	static const struct { const char *name; unsigned sector; void (*say)(struct header *); } headers[] = {
		{ "agf", 1, say_agf }, { "agi", 2, say_agi }, { "agfl", 3, say_agfl },
	};

	if (f->agno == XFS_NULL32 || !f->structure || (f->id != XFS_F_BLOCK_MAGIC && f->id != XFS_F_AGFL_COUNT))
		return false;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(headers); i++)
		if (!strcmp(headers[i].name, f->structure))
			return say_header(c, f, headers[i].say, headers[i].sector);
	return false;
}

static bool field(const struct repair_classic *c, const struct xfs_finding *f)
{
	bool said = by_table(c, f);

	if (said && is_identity(f->field))
		say_reset(c, f->structure, f->agno);
	return said;
}

/* ---- what takes more than one line, or depends on others ---- */

/* A secondary that the reader of superblocks refuses (section 3.1), or that differs from the primary. */
static bool secondary(const struct repair_classic *c, const struct xfs_finding *f)
{
	const struct repair *r = c->r;
	uint64_t off = (uint64_t)f->agno * r->geo.agblocks * r->geo.blocksize;
	struct repair_sb_copy copy;
	bool refused = repair_sb_read(r->dev.data, off, &copy) != 0;

	if (copy.readable && copy.sb.magicnum != XFS_SB_MAGIC)
		fprintf(stderr, "Superblock has bad magic number 0x%x. Not an XFS filesystem?\n", copy.sb.magicnum);
	if (refused || repair_sb_same_geometry(&r->primary, &copy.sb))
		fprintf(stderr, "bad on-disk superblock %u - %s\n", f->agno, f->detail);
	if (refused || !repair_sb_same_geometry(&r->primary, &copy.sb))
		fprintf(stderr, "primary/secondary superblock %u conflict - AG superblock geometry info conflicts with "
			"filesystem geometry\n", f->agno);
	if (refused && repair_sb_rest_used(r, off, &r->primary))
		fprintf(stderr, "%s unused portion of secondary superblock (AG #%u)\n",
			r->no_modify ? "would zero" : "zeroing", f->agno);
	fprintf(stderr, "%s bad sb for ag %u\n", r->no_modify ? "would reset" : "reset", f->agno);
	return true;
}

static void say_fork(const struct repair_classic *c, const struct xfs_finding *f)
{
	bool attr = f->structure && f->structure[0] == 'a';

	fprintf(stderr, "bad %s fork in inode %" PRIu64 "\n", attr ? "attribute" : "data", f->ino);
	if (!c->r->no_modify)
		fprintf(stderr, "rebuilding inode %" PRIu64 " %s fork\n", f->ino, attr ? "attr" : "data");
	else if (attr)
		fprintf(stderr, "would have tried to rebuild inode %" PRIu64 " attr fork or cleared it\n", f->ino);
	else
		fprintf(stderr, "would have tried to rebuild inode %" PRIu64 " data fork\n", f->ino);
}

/* ---- inodes of the superblock ---- */

static const char *special_of(const struct repair_classic *c, uint64_t ino)
{
	const struct xfs_sb *sb = &c->r->primary;

	return ino == sb->rootino ? "root" : c->r->geo.metadir ? NULL : ino == sb->rbmino ? "realtime bitmap" :
	       ino == sb->rsumino ? "realtime summary" : NULL;
}

/* What is wrong with a core, as upstream says it twice: when it looks at inodes, and when it mends them. */
static void say_core(const struct repair_classic *c, uint64_t ino, const struct xfs_dinode *d, bool mends)
{
	const struct repair *r = c->r;
	const char *how = !mends ? NULL : r->no_modify ? "would reset" : "resetting";
	int version = (int8_t)d->core.version;
	uint32_t next = d->core.next_unlinked;

	if (r->geo.v5)
		fprintf(stderr, "bad CRC for inode %" PRIu64 "%s\n", ino,
			!mends ? "" : r->no_modify ? ", would rewrite" : ", will rewrite");
	if (d->core.magic != XFS_DINODE_MAGIC)
		fprintf(stderr, how ? "bad magic number 0x%x on inode %" PRIu64 ", %s magic number\n" :
			"bad magic number 0x%x on inode %" PRIu64 "\n", d->core.magic, ino, how);
	if (r->geo.v5 ? version != 3 : version != 1 && version != 2)
		fprintf(stderr, how ? "bad version number 0x%x on inode %" PRIu64 ", %s version number\n" :
			"bad version number 0x%x on inode %" PRIu64 "\n", (unsigned)version, ino, how);
	if (next != XFS_NULL32 && !xfs_agino_valid(&r->geo, xfs_ino_agno(&r->geo, XFS_INO(ino)), next))
		fprintf(stderr, how ? "bad next_unlinked 0x%x on inode %" PRIu64 ", %s next_unlinked\n" :
			"bad next_unlinked 0x%x on inode %" PRIu64 "\n", next, ino, how);
	if (r->geo.v5 && d->v3.inumber != ino)
		fprintf(stderr, "inode identifier %" PRIu64 " mismatch on inode %" PRIu64 "\n", d->v3.inumber, ino);
}

static bool wiped(const struct repair_classic *c, uint64_t ino)
{
	uint8_t *image = malloc(c->r->geo.inodesize);
	struct xfs_dinode d;
	bool said = image && !repair_read_inode(c->r, ino, image, &d);

	if (said) {
		say_core(c, ino, &d, false);
		say_core(c, ino, &d, true);
		fprintf(stderr, "%s %s inode %" PRIu64 "\n", c->r->no_modify ? "would have cleared" : "cleared",
			special_of(c, ino), ino);
	}
	free(image);
	return said;
}

/* One that is empty again has nothing that anybody could miss but its mode and owner, which are those of mkfs. */
static bool remade(struct repair_classic *c, const struct xfs_finding *f)
{
	const struct xfs_sb *sb = &c->r->primary;

	if (!special_of(c, f->ino))
		return false;
	if (f->ino == sb->rootino)
		fprintf(stderr, "root inode lost\n");
	c->made |= f->ino == sb->rootino ? 1u : f->ino == sb->rbmino ? 2u : 4u;
	return f->ino != sb->rootino || !f->len;
}

static void say_made(const struct repair_classic *c)
{
	static const char *const what[] = { "root directory", "realtime bitmap inode", "realtime summary inode" };

	for (unsigned i = 0; i < XFS_ARRAY_SIZE(what); i++)
		if (c->made >> i & 1)
			fprintf(stderr, "%s %s\n", c->r->no_modify ? "would reinitialize" : "reinitializing", what[i]);
}

bool repair_classic_says(struct repair_classic *c, const struct xfs_finding *f)
{
	switch (f->id) {
	case XFS_F_SB_SECONDARY:
		return secondary(c, f);
	case XFS_F_SB_PRIMARY:
		return by_table(c, f) || c->primary_told;
	case XFS_F_FORK_DAMAGED:
	case XFS_F_FORK_DIFFERS:
		say_fork(c, f);
		return false;
	case XFS_F_INODE_WIPED:
		return special_of(c, f->ino) ? wiped(c, f->ino) : by_table(c, f);
	case XFS_F_INODE_REMADE:
		return remade(c, f);
	case XFS_F_AG_HEADER:
		return field(c, f);
	default:
		return by_bytes(c, f) || by_table(c, f);
	}
}

bool repair_classic_waits(const struct repair_classic *c, const struct xfs_finding *f)
{
	return f->id == XFS_F_SB_SECONDARY && !c->scanning;
}

void repair_classic_behind(struct repair_classic *c, const char *line)
{
	if (!strncmp(line, "bad primary superblock - ", 25))
		c->primary_told = true;
	else if (!strcmp(line, "verified secondary superblock..."))
		c->from_secondary = true;
	else if (!strcmp(line, "        - scan filesystem freespace and inode maps..."))
		c->scanning = true;
	else if (!strncmp(line, "Phase 6", 7))
		say_made(c);
}

void repair_classic_end(const struct repair_classic *c)
{
	if (!c->from_secondary || c->r->no_modify)
		return;
	fprintf(stderr, "Note - stripe unit (%u) and width (%u) were copied from a backup superblock.\n"
		"Please reset with mount -o sunit=<value>,swidth=<value> if necessary\n", c->r->primary.unit,
		c->r->primary.width);
}

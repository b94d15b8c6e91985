/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_attrmend.c - an attribute of a leaf with one field that is wrong: the hash of its name tells which reading is
 * right.
 *
 * The hash stands in the entry, the name in the record, so either confirms the other: a reading with another length of
 * name, another place or kind of record, or another namespace that makes the hash right is what was written.  Records
 * do not run into each other: this bounds values.
 */
#include "repair/names.h"

#include "libxfs/name/hash.h"

#include <string.h>

#define MOST_FAILED 64u		/* of one leaf: each takes long, and of such a leaf little is left */

/* In an entry. */
#define NAMEIDX XFS_OFF(attr_leaf_ent, nameidx)
#define FLAGS XFS_OFF(attr_leaf_ent, flags)

struct mend {
	const struct xfs_geometry *g;
	uint8_t *leaf;
	uint32_t i, count;
	uint8_t *entry;
	struct xfs_attr *out;
};

uint32_t names_attr_hash(const struct xfs_geometry *g, const struct xfs_attr *a)
{
	return a->flags & XFS_ATTR_PARENT ? xfs_parent_hash(g, a->name, a->namelen, XFS_INO(xfs_be64(a->value)))
					  : xfs_name_hash(a->name, a->namelen);
}

/* Bytes from `at` to the next record or the end of the block. */
static uint32_t room_at(const struct mend *m, uint32_t at)
{
	uint32_t end = m->g->blocksize;

	for (uint32_t k = 0; k < m->count; k++) {
		uint32_t other = xfs_be16(m->leaf + xfs_attr_leaf_header_len(m->g->v5) +
					  k * sizeof(struct xfs_attr_leaf_ent_disk) + NAMEIDX);

		if (k != m->i && other > at && other < end)
			end = other;
	}
	return at < end ? end - at : 0;
}

/* Reads the entry as it stands now: its name has its hash. */
static bool is_named(const struct mend *m, uint32_t *at, uint32_t *size)
{
	return !xfs_attr_leaf_entry(m->g, m->leaf, m->i, m->out, at, size) && !(*at % 4) && m->out->namelen &&
	       !xfs_attr_problem(m->g, m->out) && names_attr_hash(m->g, m->out) == m->out->hash;
}

/* And everything fits. */
static bool is_right(const struct mend *m)
{
	uint32_t at, size;

	return is_named(m, &at, &size) && size <= room_at(m, at);
}

/* Is any value of this byte one with which all is right? */
static bool try_byte(const struct mend *m, uint8_t *byte)
{
	uint8_t was = *byte;

	for (unsigned k = 1; k < 256; k++) {
		*byte = was ^ (uint8_t)k;
		if (is_right(m))
			return true;
	}
	*byte = was;
	return false;
}

static bool try_kind(const struct mend *m)
{
	m->entry[FLAGS] ^= XFS_ATTR_LOCAL;
	if (is_right(m))
		return true;
	m->entry[FLAGS] ^= XFS_ATTR_LOCAL;
	return false;
}

/* From the end down: old copies lie in the free space before the records. */
static bool try_place(const struct mend *m)
{
	uint16_t was = xfs_be16(m->entry + NAMEIDX);

	for (uint32_t at = m->g->blocksize - 4; at >= xfs_attr_leaf_header_len(m->g->v5); at -= 4) {
		xfs_put_be16(m->entry + NAMEIDX, (uint16_t)at);
		if (is_right(m))
			return true;
	}
	xfs_put_be16(m->entry + NAMEIDX, was);
	return false;
}

unsigned names_attr_space(unsigned flags, const uint8_t *name, unsigned len)
{
	static const struct {
		const char *name;
		unsigned space;
	} known[] = {
		{ "selinux", XFS_ATTR_SECURE }, { "capability", XFS_ATTR_SECURE }, { "ima", XFS_ATTR_SECURE },
		{ "evm", XFS_ATTR_SECURE }, { "apparmor", XFS_ATTR_SECURE }, { "SMACK64", XFS_ATTR_SECURE },
		{ "SGI_ACL_FILE", XFS_ATTR_ROOT }, { "SGI_ACL_DEFAULT", XFS_ATTR_ROOT },
	};

	unsigned rest = flags & (XFS_ATTR_ROOT | XFS_ATTR_SECURE), odd = flags & ~(rest | XFS_ATTR_LOCAL);

	/* one bit too many leaves the rest as it was */
	if (!(odd & (odd - 1)) && !(rest & (rest - 1)))
		return rest;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(known); i++)
		if (len == strlen(known[i].name) && !memcmp(name, known[i].name, len))
			return known[i].space;
	return 0;
}

/* A parent pointer has a hash of its own kind; of other namespaces a name that is known alone tells. */
static bool try_space(const struct mend *m)
{
	static const uint8_t pointer = XFS_ATTR_LOCAL | XFS_ATTR_PARENT, others[] = { XFS_ATTR_LOCAL, 0 };
	uint8_t was = m->entry[FLAGS];

	m->entry[FLAGS] = pointer;
	if (is_right(m))
		return true;
	for (unsigned k = 0; k < 2; k++) {
		m->entry[FLAGS] = others[k];
		if (!is_right(m))
			continue;
		m->entry[FLAGS] |= (uint8_t)names_attr_space(was, m->out->name, m->out->namelen);
		m->out->flags = m->entry[FLAGS];
		return true;
	}
	m->entry[FLAGS] = was;
	return false;
}

static bool try_namelen(const struct mend *m)
{
	uint32_t at = xfs_be16(m->entry + NAMEIDX);
	uint32_t fixed = m->entry[FLAGS] & XFS_ATTR_LOCAL ? XFS_OFF(attr_local, namelen) :
			 XFS_OFF(attr_remote, namelen);

	return at + fixed < m->g->blocksize && try_byte(m, m->leaf + at + fixed);
}

/* A local value that runs into the next record ends before it; what fills up to a multiple of four is zero. */
static bool try_valuelen(const struct mend *m)
{
	uint32_t at = xfs_be16(m->entry + NAMEIDX), room = room_at(m, at), len;
	uint8_t *p = m->leaf + at;
	uint16_t was;

	if (!(m->entry[FLAGS] & XFS_ATTR_LOCAL) || at % 4 || at < xfs_attr_leaf_header_len(m->g->v5) ||
	    room < sizeof(struct xfs_attr_local_disk) || room < sizeof(struct xfs_attr_local_disk) + p[2])
		return false;
	was = xfs_be16(p);
	len = room - (uint32_t)sizeof(struct xfs_attr_local_disk) - p[2];
	if (was <= len)
		return false;
	for (unsigned pad = 0; pad < 3 && len && !p[3 + p[2] + len - 1]; pad++)
		len--;
	xfs_put_be16(p, (uint16_t)len);
	if (is_right(m))
		return true;
	xfs_put_be16(p, was);
	return false;
}

/* A name holds no zero byte: which one it was, the hash tells. */
static bool try_name(const struct mend *m)
{
	uint32_t at, size;
	uint8_t *zero;

	if (xfs_attr_leaf_entry(m->g, m->leaf, m->i, m->out, &at, &size) || !m->out->namelen)
		return false;
	zero = memchr(m->leaf + (m->out->name - m->leaf), 0, m->out->namelen);
	return zero && try_byte(m, zero);
}

static void stand_at(struct mend *m, uint32_t i)
{
	m->i = i;
	m->entry = m->leaf + xfs_attr_leaf_header_len(m->g->v5) + 8 * (size_t)i;
}

/* false: no reading is right. */
static bool mend_entry(const struct mend *m)
{
	static bool (*const tries[])(const struct mend *) = {
		is_right, try_kind, try_place, try_namelen, try_valuelen, try_space, try_name,
	};
	uint32_t at, size;

	/* one that was never finished is no attribute */
	if (!xfs_attr_leaf_entry(m->g, m->leaf, m->i, m->out, &at, &size) && !xfs_attr_problem(m->g, m->out) &&
	    m->out->flags & XFS_ATTR_INCOMPLETE)
		return true;
	for (size_t k = 0; k < XFS_ARRAY_SIZE(tries); k++)
		if (tries[k](m))
			return true;
	return false;
}

/* First those whose names lack their hashes: a wrong place must not make the value that lies there seem too long. */
void names_mend_attrs(const struct xfs_geometry *g, uint8_t *leaf, uint32_t count)
{
	struct xfs_attr a;
	struct mend m = { .g = g, .leaf = leaf, .count = count, .out = &a };
	uint32_t at, size;
	unsigned failed = 0;

	for (uint32_t i = 0; i < count && failed < MOST_FAILED; i++) {
		stand_at(&m, i);
		failed += !is_named(&m, &at, &size) && !mend_entry(&m);
	}
	for (uint32_t i = 0; i < count; i++) {
		stand_at(&m, i);
		if (is_named(&m, &at, &size))
			mend_entry(&m);
	}
}

/* Does the entry stand where one would that was never counted? */
static bool goes_on(struct mend *m, uint32_t i, uint32_t *size)
{
	uint32_t at;

	stand_at(m, i);
	return is_right(m) && !xfs_attr_leaf_entry(m->g, m->leaf, i, m->out, &at, size);
}

uint32_t names_attr_count(const struct xfs_geometry *g, uint8_t *leaf)
{
	uint32_t most = xfs_attr_leaf_maxents(g->v5, g->blocksize), used = 0, size, count;
	struct xfs_attr_leaf_hdr h;
	struct xfs_attr a;
	struct mend m = { .g = g, .leaf = leaf, .out = &a };

	xfs_attr_leaf_hdr_load(&h, leaf, g->v5);
	count = xfs_min(h.count, most);
	/* as many as use the bytes that are said to be used, when that is exactly so */
	for (m.count = 0; m.count < most && used < h.usedbytes && goes_on(&m, m.count, &size); m.count++)
		used += size;
	return used == h.usedbytes && m.count > count ? m.count : count;
}

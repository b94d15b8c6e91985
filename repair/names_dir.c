/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_dir.c - every entry of a damaged directory that can be had.
 *
 * Data blocks are read one by one, whatever the index says of them; the hash index is the second witness: it confirms
 * an entry at its place, and tells which bit of a name is wrong.  In a damaged block an entry counts when the index
 * confirms it, or when it is where its own tag says and leads to an inode in use.
 */
#include "repair/names.h"

#include "repair/forks.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>
#include <string.h>

struct pair {
	uint64_t address, hash;
};

struct reader {
	struct names *n;
	uint64_t ino;
	const struct xfs_mapset *map;
	struct pair *index;		/* ascending by address */
	size_t nindex, room;
	bool index_whole;		/* every block of it is as it was written */
	uint64_t *said;
	uint64_t db;			/* the data block at hand */
	const uint8_t *best;		/* the areas that its header calls free */
	enum names_quality quality;
	unsigned taken;
};

/* ---- the index ---- */

static int add_pair(struct reader *r, uint32_t hash, uint32_t address)
{
	if (address == XFS_DIR_NULL_ADDRESS)
		return 0;
	if (xfs_grow(&r->index, r->nindex, &r->room, 256))
		return -XFS_E_NOMEM;
	r->index[r->nindex++] = (struct pair){ address, hash };
	return 0;
}

static int add_pairs(struct reader *r, const uint8_t *entries, uint32_t count)
{
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++)
		error = add_pair(r, xfs_dir_leaf_hash(entries, i), xfs_dir_leaf_address(entries, i));
	return error;
}

static bool is_leaf_magic(uint16_t magic)
{
	return magic == XFS_DIR2_LEAF1_MAGIC || magic == XFS_DIR3_LEAF1_MAGIC || magic == XFS_DIR2_LEAFN_MAGIC ||
	       magic == XFS_DIR3_LEAFN_MAGIC;
}

/* A pair of a damaged leaf is no worse than none: it only ever confirms what it matches. */
static int read_leaf(struct reader *r, uint64_t off)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint8_t *block = r->n->block;
	enum names_quality quality;
	struct xfs_dir3_leaf_hdr h;
	uint64_t fsbno;
	int error = names_read_block(r->n, r->map, off, g->dirblkfsbs, block, &fsbno);

	if (error)
		return error;
	quality = names_judge_block(r->n, XFS_BLK_DIR_ANYLEAF, r->ino, fsbno, block, g->dirblksize);
	r->index_whole &= quality == NAMES_GOOD;
	if (quality == NAMES_FOREIGN || !is_leaf_magic(xfs_da_magic(block)))
		return 0;
	xfs_dir_leaf_hdr_load(&h, block, g->v5);
	return add_pairs(r, block + xfs_da_header_len(g->v5), xfs_min(h.count, xfs_da_maxents(g->v5, g->dirblksize)));
}

/* Is what lies from `end` on a hash index: in order, of places before it?  `odd` pairs in a hundred may be damaged. */
static bool is_index(const struct xfs_geometry *g, const uint8_t *block, uint32_t end, unsigned odd)
{
	uint32_t most = g->dirblksize - 8, wrong = 0, last = 0, first = xfs_dir_data_header_len(g->v5);

	for (uint32_t at = end; at < most; at += 8) {
		uint32_t hash = xfs_dir_leaf_hash(block + at, 0), address = xfs_dir_leaf_address(block + at, 0);

		wrong += hash < last ||
			 (address != XFS_DIR_NULL_ADDRESS &&
			  (address < first / XFS_DIR_ALIGN || address >= end / XFS_DIR_ALIGN));
		last = hash;
	}
	return end < most && wrong <= (uint64_t)(most - end) / 8 * odd / 100;
}

/* Pairs from `end` on that are of entries. */
static uint32_t count_live(const struct xfs_geometry *g, const uint8_t *block, uint32_t end)
{
	uint32_t n = 0;

	for (uint32_t at = end; at < g->dirblksize - 8; at += 8)
		n += xfs_dir_leaf_address(block + at, 0) != XFS_DIR_NULL_ADDRESS;
	return n;
}

/*
 * Where the entries of a block directory end.  The count at its end says it; when the items, followed one by one, end
 * elsewhere and leave room for as many hashes as there are entries, one of the two is wrong: the end of an index looks
 * like a whole one, so the earlier of two that are possible is right; and zeroes of a free area look like hashes that
 * were removed, so an index with a hash for each of the items is right before all.
 */
static uint32_t block_end(const struct xfs_geometry *g, const uint8_t *block)
{
	uint32_t off = xfs_dir_data_header_len(g->v5), most = g->dirblksize - 8, said = xfs_dir_data_end(block,
			g->v5, g->dirblksize);
	uint32_t used = 0, next = off;
	struct xfs_dir_item it;
	bool by_items, by_count;

	while (off < most && xfs_dir_data_next(g, block, most, &next, &it) > 0 && it.tag == it.off) {
		used += it.used;
		off = next;
	}
	if (off == said || used <= 2 || (most - off) / 8 < used)
		return said;
	by_items = is_index(g, block, off, 0);
	by_count = is_index(g, block, said, 25) && !(by_items && count_live(g, block, off) == used);
	/* both damaged: what is no entry is found out when it is read */
	return by_items && by_count ? (uint32_t)xfs_min(off, said) :
	       by_items ? off : by_count ? said : (uint32_t)xfs_max(off, said);
}

static int read_tail(struct reader *r)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint8_t *block = r->n->block;
	enum names_quality quality;
	uint64_t fsbno;
	uint32_t count;
	int error = names_read_block(r->n, r->map, 0, g->dirblkfsbs, block, &fsbno);


	if (error)
		return error;
	quality = names_judge_block(r->n, XFS_BLK_DIR_ANYDATA, r->ino, fsbno, block, g->dirblksize);
	if (quality == NAMES_FOREIGN || !xfs_dir_is_block_magic(xfs_be32(block)))
		return 0;
	r->index_whole = quality == NAMES_GOOD;
	count = (g->dirblksize - 8 - block_end(g, block)) / 8;
	return add_pairs(r, block + xfs_dir_block_leaf_off(g->dirblksize, count), count);
}

/* Calls job(r, first block) for each directory block that is mapped, at least in part, in [from, to) of the file. */
static int each_block(struct reader *r, uint64_t from, uint64_t to, int (*job)(struct reader *, uint64_t off))
{
	unsigned fsbs = r->n->r->geo.dirblkfsbs;
	uint64_t next = from;
	int error = 0;

	for (size_t i = 0; i < r->map->n && !error; i++) {
		const struct xfs_mapping *m = &r->map->m[i];
		uint64_t at = xfs_max(m->off / fsbs * fsbs, next), end = xfs_min(m->off + m->len, to);

		for (; at < end && !error; at += fsbs) {
			error = job(r, at);
			next = at + fsbs;
		}
	}
	return error;
}

static int read_index(struct reader *r)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct pair), .words = 2,
						    .word_off = { offsetof(struct pair, address),
								  offsetof(struct pair, hash) } };
	const struct xfs_geometry *g = &r->n->r->geo;
	const struct xfs_mapping *last = &r->map->m[r->map->n - 1];
	int error = read_tail(r);

	/* whole unless a leaf shows the opposite; without leaves there is no index */
	if (last->off + last->len > XFS_DIR_LEAF_OFFSET >> g->blocklog)
		r->index_whole = true;
	if (!error)
		error = each_block(r, XFS_DIR_LEAF_OFFSET >> g->blocklog, XFS_DIR_FREE_OFFSET >> g->blocklog,
				   read_leaf);
	return error ? error : xfs_sort(&order, r->index, r->nindex);
}

/* What the index says of the entry at this place; NULL: nothing. */
static const struct pair *index_at(const struct reader *r, uint32_t off)
{
	uint64_t address = (r->db * r->n->r->geo.dirblksize + off) / XFS_DIR_ALIGN;
	size_t at = xfs_search(r->nindex, i, r->index[i].address < address);

	return at < r->nindex && r->index[at].address == address ? &r->index[at] : NULL;
}

/* ---- entries ---- */

static bool is_legal(const uint8_t *name, unsigned len)
{
	return len && !memchr(name, 0, len) && !memchr(name, '/', len);
}

/* What the byte at `at` must change by for the name to get another hash: each that follows moves it by seven bits. */
static uint32_t change_of(uint32_t hash, uint32_t wanted, unsigned at, unsigned len)
{
	uint32_t change = hash ^ wanted;
	unsigned moved = (unsigned)(7 * (uint64_t)(len - 1 - at) % 32);

	return moved ? change >> moved | change << (32 - moved) : change;
}

/*
 * One bit, or the one byte that no name may hold, turned so that the name gets the hash that the index has for it.
 * Hashes of folded names depend on what a byte becomes: there each value is tried.
 */
static bool mend_name(const struct xfs_geometry *g, uint8_t *name, unsigned len, uint32_t hash)
{
	uint32_t now = xfs_dir_hash(g, name, len);
	unsigned illegal = 0;

	for (unsigned i = 0; i < len; i++)
		illegal += !name[i] || name[i] == '/';
	for (unsigned i = 0; i < len && illegal < 2; i++) {
		uint8_t was = name[i];
		bool free_choice = !was || was == '/';
		uint32_t change = change_of(now, hash, i, len);

		for (unsigned k = 1; k < 256; k = free_choice ? k + 1 : k * 2) {
			if (!g->asciici && k != change)
				continue;
			name[i] = was ^ (uint8_t)k;
			if (xfs_dir_hash(g, name, len) == hash && is_legal(name, len))
				return true;
		}
		name[i] = was;
	}
	return false;
}

static bool leads_somewhere(struct names *n, uint64_t ino)
{
	struct repair_fact *f = repair_fact_of(n->r, ino);

	return f && (f->used || repair_is_lost(n->r, ino));
}

/* No hash leads here, and the table in the header of the block calls it a part of a free area. */
static bool was_removed(const struct reader *r, uint32_t off)
{
	if (index_at(r, off) || !r->index_whole)
		return false;
	for (unsigned i = 0; i < XFS_DIR_BESTS; i++) {
		const uint8_t *p = r->best + i * sizeof(struct xfs_dir_best_disk);
		uint32_t from = xfs_be16(p + XFS_OFF(dir_best, offset)), len = xfs_be16(p + XFS_OFF(dir_best, length));

		if (off >= from && off - from < len)
			return true;
	}
	return false;
}

/* Of an item at the place of "." or "..", whose name is damaged: none that the index knows lies there. */
static bool is_dots_place(const struct reader *r, uint32_t off, const struct xfs_dir_item *it, unsigned dots)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	const struct pair *known = index_at(r, off);
	uint32_t first = xfs_dir_data_header_len(g->v5);

	return r->db == 0 && off == first + (dots - 1) * xfs_dir_data_entsize(g->ftype, 1) &&
	       it->len == xfs_dir_data_entsize(g->ftype, dots) &&
	       !(known && known->hash == xfs_dir_hash(g, it->name, it->namelen));
}

static int keep(struct reader *r, uint32_t off, const struct xfs_dir_item *it)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	const struct pair *known = index_at(r, off);
	struct names_entry e = { .dir = r->ino, .ino = it->ino, .order = r->db * g->dirblksize + off,
				 .ftype = it->ftype, .namelen = it->namelen };
	uint8_t name[XFS_DIR_NAME_MAX];

	memcpy(name, it->name, it->namelen);
	e.hash = xfs_dir_hash(g, name, it->namelen);
	if (xfs_dir_is_dot(it) || (is_dots_place(r, off, it, 1) && it->ino == r->ino))
		return 0;
	if (xfs_dir_is_dotdot(it) || is_dots_place(r, off, it, 2)) {
		if (r->db == 0)
			*r->said = it->ino;
		return 0;
	}
	if (known && known->hash == e.hash)
		e.flags |= NAMES_CONFIRMED;
	else if (known && (r->quality != NAMES_GOOD || !is_legal(name, it->namelen)) &&
		 mend_name(g, name, it->namelen, (uint32_t)known->hash))
		e.flags |= NAMES_CONFIRMED | NAMES_FRESH;
	else
		e.flags |= (uint8_t)((r->quality != NAMES_GOOD ? NAMES_DOUBTED : 0) | (known ? NAMES_DENIED : 0));
	if (!is_legal(name, it->namelen))
		e.flags |= NAMES_ILLEGAL;
	/* without a witness, and what it leads to is not there either; or a name that was removed, in a free area */
	if (!(e.flags & NAMES_CONFIRMED) &&
	    (r->quality == NAMES_FOREIGN || (it->tag != it->off && !known && r->index_whole) || was_removed(r, off) ||
	     ((it->tag != it->off || e.flags & NAMES_ILLEGAL) && !leads_somewhere(r->n, it->ino)) ||
	     (e.flags & NAMES_DOUBTED && (it->tag != it->off || !leads_somewhere(r->n, it->ino)))))
		return 0;
	e.hash = xfs_dir_hash(g, name, it->namelen);
	r->taken++;
	if (names_keep(r->n, name, it->namelen, &e.name))
		return -XFS_E_NOMEM;
	return names_add_entry(r->n, &e);
}

/*
 * An entry whose length of name is wrong: its tag, the last two bytes, tells how long it is, and the index or the inode
 * which of eight lengths of name it was.
 */
static bool guess_length(struct reader *r, const uint8_t *block, uint32_t off, uint32_t end, struct xfs_dir_item *it)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	const struct pair *known = index_at(r, off);

	for (uint32_t len = 16; len <= 272 && len <= end - off; len += XFS_DIR_ALIGN) {
		if (xfs_be16(block + off + len - 2) != off)
			continue;
		for (unsigned k = 1; k <= XFS_DIR_NAME_MAX; k++) {
			const uint8_t *name = block + off + 9;

			if (xfs_dir_data_entsize(g->ftype, k) != len || !known ||
			    xfs_dir_hash(g, name, k) != known->hash)
				continue;
			*it = (struct xfs_dir_item){ .used = true, .off = off, .len = len, .tag = off,
						     .ino = xfs_be64(block + off), .name = name,
						     .namelen = (uint8_t)k };
			it->ftype = g->ftype ? block[off + xfs_dir_data_ftype_off(k)] : 0;
			return true;
		}
	}
	return false;
}

/* The index knows entries inside of the item, each at its place: a length is wrong, and its tag is right by chance. */
static bool hides_entries(const struct reader *r, const uint8_t *block, uint32_t end, const struct xfs_dir_item *it)
{
	const struct xfs_geometry *g = &r->n->r->geo;

	for (uint32_t at = it->off + XFS_DIR_ALIGN; at < it->off + it->len; at += XFS_DIR_ALIGN) {
		const struct pair *known = index_at(r, at);
		struct xfs_dir_item inner;
		uint32_t next = at;

		if (known && xfs_dir_data_next(g, block, end, &next, &inner) > 0 && inner.used && inner.tag == at &&
		    known->hash == xfs_dir_hash(g, inner.name, inner.namelen))
			return true;
	}
	return false;
}

/* Is the item at `off` what it seems to be?  One whose length is wrong is replaced by what the index makes of it. */
static bool is_item(struct reader *r, const uint8_t *block, uint32_t off, uint32_t end, int more,
		struct xfs_dir_item *it)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	const struct pair *known = index_at(r, off);
	bool indexed = more > 0 && it->used && known && known->hash == xfs_dir_hash(g, it->name, it->namelen);
	struct xfs_dir_item other;

	/* a length of name that makes an entry as long as the right one */
	if (more > 0 && it->tag == it->off && it->used && known && !indexed && guess_length(r, block, off, end, &other))
		*it = other;
	if (more > 0 && !indexed && it->tag == it->off && hides_entries(r, block, end, it))
		return false;
	if ((more > 0 && it->tag == it->off) || indexed)
		return true;	/* indexed: at most the tag is wrong */
	if (guess_length(r, block, off, end, &other)) {
		*it = other;
		return true;
	}
	/* a tag is wrong: what an index that is whole does not name was deleted */
	return more > 0 && it->used && r->quality == NAMES_GOOD && (known || !r->index_whole) &&
	       leads_somewhere(r->n, it->ino) && is_legal(it->name, it->namelen);
}

/* Behind a gap the remains of deleted entries may lie: what an index that is whole does not name was deleted. */
static bool is_remains(struct reader *r, const struct xfs_dir_item *it)
{
	const struct pair *known = index_at(r, it->off);
	struct repair_fact *f = repair_fact_of(r->n->r, it->ino);

	if (known && known->hash == xfs_dir_hash(&r->n->r->geo, it->name, it->namelen))
		return false;
	return r->index_whole || it->tag != it->off || !f || !f->used || (it->ftype && it->ftype != f->ftype);
}

/* Item by item; where none can be, on in steps of the alignment to the next one that is where its tag says. */
static int read_items(struct reader *r, const uint8_t *block, uint32_t end)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint32_t off = xfs_dir_data_header_len(g->v5);
	bool gap = false;
	int error = 0;

	while (off < end && !error) {
		uint32_t next = off;
		struct xfs_dir_item it;
		int more = xfs_dir_data_next(g, block, end, &next, &it);

		if (!is_item(r, block, off, end, more, &it) || (gap && it.used && is_remains(r, &it))) {
			off += XFS_DIR_ALIGN;
			gap = true;
			continue;
		}
		if (it.used)
			error = keep(r, off, &it);
		gap = gap && !it.used;
		off += it.len;
	}
	return error;
}

static int read_data(struct reader *r, uint64_t off)
{
	const struct xfs_geometry *g = &r->n->r->geo;
	uint8_t *block = r->n->block;
	uint32_t end = g->dirblksize;
	uint64_t fsbno;
	int error = names_read_block(r->n, r->map, off, g->dirblkfsbs, block, &fsbno);

	if (error)
		return error;
	r->db = off / g->dirblkfsbs;
	r->best = block + xfs_dir_bestfree_off(g->v5);
	r->quality = names_judge_block(r->n, XFS_BLK_DIR_ANYDATA, r->ino, fsbno, block, g->dirblksize);
	/* an end that a damaged count gives is no end */
	if (xfs_dir_is_block_magic(xfs_be32(block)) && r->db == 0)
		end = block_end(g, block);
	if (end < xfs_dir_data_header_len(g->v5) || (r->quality != NAMES_GOOD && end < g->dirblksize / 4))
		end = g->dirblksize;
	return read_items(r, block, end);
}

int names_salvage_dir(struct names *n, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
		      const struct xfs_mapset *map, uint64_t *said)
{
	const struct xfs_geometry *g = &n->r->geo;
	struct reader r = { .n = n, .ino = ino, .map = map, .said = said };
	uint32_t size = repair_fork_size(n->r, d, XFS_FORK_DATA);
	int error;

	*said = XFS_NULL64;
	if (!map->n) {
		uint32_t at = xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff, g->inodesize,
						  XFS_FORK_DATA);

		return d->core.format == XFS_DINODE_FMT_LOCAL ? names_salvage_short(n, ino, image + at, size,
				(uint64_t)d->core.size, said)
							      : 0;
	}
	error = read_index(&r);
	if (!error)
		error = each_block(&r, 0, XFS_DIR_LEAF_OFFSET >> g->blocklog, read_data);
	free(r.index);
	return error;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* convert.c - between forms of addresses; hashes of names. */
#include "db/db.h"

#include "libxfs/name/hash.h"

/* Parts of an address. Below a block there are two ways of counting, which do not mix. */
enum part {
	P_AG = 1, P_BLOCK = 2,
	P_SECTOR = 4, P_IN_SECTOR = 8,		/* 512-byte sectors of a block, bytes of a sector */
	P_INODE = 16, P_IN_INODE = 32,		/* inodes of a block, bytes of an inode */
	P_BY_SECTOR = P_SECTOR | P_IN_SECTOR, P_BY_INODE = P_INODE | P_IN_INODE,
	P_ALL = 63
};

enum form { AGBLOCK, AGINO, AGNUMBER, BBOFF, BLKOFF, BYTE, DADDR, FSBLOCK, INO, INOIDX, INOOFF };

static const struct { const char *word; enum form form; unsigned parts; } forms[] = {
	{ "agblock", AGBLOCK, P_BLOCK }, { "agbno", AGBLOCK, P_BLOCK },
	{ "agino", AGINO, P_BLOCK | P_INODE }, { "aginode", AGINO, P_BLOCK | P_INODE },
	{ "agnumber", AGNUMBER, P_AG }, { "agno", AGNUMBER, P_AG },
	{ "bboff", BBOFF, P_IN_SECTOR }, { "daddroff", BBOFF, P_IN_SECTOR },
	{ "blkoff", BLKOFF, P_BY_SECTOR | P_BY_INODE }, { "fsboff", BLKOFF, P_BY_SECTOR | P_BY_INODE },
	{ "agboff", BLKOFF, P_BY_SECTOR | P_BY_INODE },
	{ "byte", BYTE, P_ALL }, { "fsbyte", BYTE, P_ALL },
	{ "daddr", DADDR, P_AG | P_BLOCK | P_SECTOR }, { "bb", DADDR, P_AG | P_BLOCK | P_SECTOR },
	{ "fsblock", FSBLOCK, P_AG | P_BLOCK }, { "fsb", FSBLOCK, P_AG | P_BLOCK },
	{ "fsbno", FSBLOCK, P_AG | P_BLOCK },
	{ "ino", INO, P_AG | P_BLOCK | P_INODE }, { "inode", INO, P_AG | P_BLOCK | P_INODE },
	{ "inoidx", INOIDX, P_INODE }, { "offset", INOIDX, P_INODE },
	{ "inooff", INOOFF, P_IN_INODE }, { "inodeoff", INOOFF, P_IN_INODE },
};

static int form_of(const char *word)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].word, word) == 0)
			return (int)i;
	return -1;
}

static uint64_t block_byte(const struct xfs_geometry *g, uint64_t agno, uint64_t agbno)
{
	return (agno * g->agblocks + agbno) << g->blocklog;
}

/* Bytes that one part stands for. Arithmetic wraps, as nonsense in gives nonsense out. */
static uint64_t bytes_of(const struct xfs_geometry *g, enum form form, uint64_t v)
{
	unsigned inobits = g->inopblog + g->agblklog;
	uint64_t blkmask = (UINT64_C(1) << g->agblklog) - 1, inomask = (UINT64_C(1) << g->inopblog) - 1;

	switch (form) {
	case AGBLOCK:
		return v << g->blocklog;
	case AGINO:
		return (v >> g->inopblog << g->blocklog) + (v & inomask) * g->inodesize;
	case AGNUMBER:
		return block_byte(g, v, 0);
	case DADDR:
		return v << XFS_BBSHIFT;
	case FSBLOCK:
		return block_byte(g, v >> g->agblklog, v & blkmask);
	case INO:
		return block_byte(g, v >> inobits, v >> g->inopblog & blkmask) + (v & inomask) * g->inodesize;
	case INOIDX:
		return v * g->inodesize;
	case BBOFF: case BLKOFF: case BYTE: case INOOFF:
		break;
	}
	return v;
}

static uint64_t form_from_bytes(const struct xfs_geometry *g, enum form form, uint64_t byte)
{
	uint64_t block = byte >> g->blocklog, agno = block / g->agblocks, agbno = block % g->agblocks;
	uint64_t off = byte & (g->blocksize - 1), agino = agbno << g->inopblog | off / g->inodesize;

	switch (form) {
	case AGBLOCK:
		return agbno;
	case AGINO:
		return agino;
	case AGNUMBER:
		return agno;
	case BBOFF:
		return byte % XFS_BBSIZE;
	case BLKOFF:
		return off;
	case DADDR:
		return byte >> XFS_BBSHIFT;
	case FSBLOCK:
		return agno << g->agblklog | agbno;
	case INO:
		return agno << (g->agblklog + g->inopblog) | agino;
	case INOIDX:
		return off / g->inodesize;
	case INOOFF:
		return off % g->inodesize;
	case BYTE:
		break;
	}
	return byte;
}

void db_run_convert(struct db *db, int argc, char **argv)
{
	const struct xfs_geometry *g = &db->fs->geo;
	int want = form_of(argv[argc - 1]);
	unsigned have = 0;
	uint64_t byte = 0, v;

	if (argc % 2) {
		db_out(db, "bad argument count %d to convert, expected 3,5,7,9 arguments\n", argc - 1);
		return;
	}
	if (want < 0) {
		db_out(db, "unknown conversion type %s\n", argv[argc - 1]);
		return;
	}
	for (int i = 1; i + 1 < argc; i += 2) {
		int k = form_of(argv[i]);

		if (k < 0) {
			db_out(db, "unknown conversion type %s\n", argv[i]);
			return;
		}
		if (forms[k].form == forms[want].form) {
			db_out(db, "result type same as argument\n");
			return;
		}
		if ((have & forms[k].parts) || (have & P_BY_SECTOR && forms[k].parts & P_BY_INODE) ||
		    (have & P_BY_INODE && forms[k].parts & P_BY_SECTOR)) {
			db_out(db, "conflicting conversion type %s\n", argv[i]);
			return;
		}
		have |= forms[k].parts;
		if (!db_number(argv[i + 1], &v)) {
			db_out(db, "%s is not a number\n", argv[i + 1]);
			return;
		}
		byte += bytes_of(g, forms[k].form, v);
	}
	if (!(have & P_AG) && db->agno != XFS_NULL32)
		byte += block_byte(g, db->agno, 0);
	v = form_from_bytes(g, forms[want].form, byte);
	db_out(db, "0x%llx (%llu)\n", (unsigned long long)v, (unsigned long long)v);
}

void db_run_hash(struct db *db, int argc, char **argv)
{
	const struct xfs_geometry *g = &db->fs->geo;
	const char *name = argv[argc - 1];
	uint64_t parent;
	uint32_t hash;

	if (argc == 2) {
		hash = xfs_name_hash(name, strlen(name));
	} else if (argc == 3 && strcmp(argv[1], "-d") == 0) {
		hash = xfs_dir_hash(g, name, strlen(name));
	} else if (argc == 4 && strcmp(argv[1], "-p") == 0) {
		if (!db_number(argv[2], &parent)) {
			db_out(db, "%s is not a number\n", argv[2]);
			return;
		}
		hash = xfs_parent_hash(g, name, strlen(name), XFS_INO(parent));
	} else {
		db_out(db, "usage: hash [-d|-p parent_ino] string\n");
		return;
	}
	db_out(db, "0x%x\n", hash);
}

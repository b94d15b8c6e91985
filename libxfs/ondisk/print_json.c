/* SPDX-License-Identifier: BSD-2-Clause */
/* print_json.c - structures as JSON. */
#include "libxfs/ondisk/print_json.h"

#include "libxfs/ondisk/values.h"

#include <stdio.h>

struct walk {
	struct xfs_json *j;
	const struct xfs_ctx *c;
	enum xfs_crc_state crc;
};

static void json_struct(struct walk *w, struct xfs_place in);

static const char *crc_word(enum xfs_crc_state state)
{
	return state == XFS_CRC_GOOD ? "correct" : state == XFS_CRC_BAD ? "bad" : "unchecked";
}

static void json_uuid(struct walk *w, const char *key, const uint8_t *p)
{
	char text[37];

	snprintf(text, sizeof(text), "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", p[0], p[1],
		 p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15]);
	xfs_json_string(w->j, key, text);
}

static void json_word(struct walk *w, const char *key, uint64_t v, const char *word)
{
	if (word)
		xfs_json_string(w->j, key, word);
	else
		xfs_json_u64(w->j, key, v);
}

static void json_number(struct walk *w, const char *key, struct xfs_place in, const struct xfs_row *row)
{
	uint64_t v = xfs_row_value(w->c, in, row);

	if (xfs_value_is_null(row, v)) {
		xfs_json_null(w->j, key);
		return;
	}
	switch (row->fmt & XF_MASK) {
	case XF_SDEC:
		xfs_json_i64(w->j, key, xfs_sign_extend(v, row->bits));
		break;
	case XF_BIT:
		xfs_json_bool(w->j, key, v != 0);
		break;
	case XF_HEX: case XF_CRC:
		xfs_json_hex64(w->j, key, v);
		if ((row->fmt & XF_MASK) == XF_CRC && key)
			xfs_json_string(w->j, "crc_state", crc_word(w->crc));
		break;
	case XF_TIME:
		xfs_json_i64(w->j, key, xfs_value_seconds(v, row->bits));
		break;
	case XF_NSEC:
		xfs_json_u64(w->j, key, xfs_value_nanoseconds(v, row->bits));
		break;
	case XF_FORM:
		json_word(w, key, v, xfs_dinode_fmt_word(v));
		break;
	case XF_METATYPE:
		json_word(w, key, v, xfs_metafile_word(v));
		break;
	default:
		xfs_json_u64(w->j, key, v);
	}
}

static void json_scalar(struct walk *w, const char *key, struct xfs_place in, const struct xfs_row *row)
{
	struct xfs_bitrange r;

	if (!xfs_row_bits(w->c, in, row, &r))
		xfs_json_null(w->j, key);
	else if (row->kind == XR_BITS)
		json_number(w, key, in, row);
	else if ((row->fmt & XF_MASK) == XF_UUID && r.bits == 128)
		json_uuid(w, key, w->c->p + r.bit / 8);
	else if ((row->fmt & XF_MASK) == XF_CHR)
		xfs_json_bytes(w->j, key, w->c->p + r.bit / 8, r.bits / 8);
	else
		xfs_json_hex(w->j, key, w->c->p + r.bit / 8, r.bits / 8);
}

static void json_elems(struct walk *w, const char *key, struct xfs_place in, const struct xfs_row *row, uint64_t low,
		uint64_t high)
{
	struct xfs_place elem;
	struct xfs_elems e;

	xfs_json_array(w->j, key);
	xfs_elems_start(&e, w->c, in, row, (size_t)(low - row->to));
	for (uint64_t i = low; i <= high && !w->j->error && xfs_elems_next(&e, w->c, in, row, &elem); i++) {
		if (row->order & XA_SCALAR) {
			json_scalar(w, NULL, elem, elem.desc->rows);
			continue;
		}
		xfs_json_object(w->j, NULL);
		json_struct(w, elem);
		xfs_json_object_end(w->j);
	}
	xfs_json_array_end(w->j);
}

static void json_row(struct walk *w, const char *key, struct xfs_place in, const struct xfs_row *row, uint64_t low,
		uint64_t high)
{
	if (row->kind != XR_ARRAY) {
		json_scalar(w, key, in, row);
	} else if (xfs_row_is_array(row)) {
		json_elems(w, key, in, row, low, high);
	} else {
		xfs_json_object(w->j, key);
		json_struct(w, (struct xfs_place){ row->elem, row->at(w->c, in.off, 0) });
		xfs_json_object_end(w->j);
	}
}

static void json_struct(struct walk *w, struct xfs_place in)
{
	for (uint32_t r = 0; r < in.desc->nrows && !w->j->error; r++) {
		const struct xfs_row *row = &in.desc->rows[r];
		size_t n = xfs_row_is_hidden(row) ? 0 : xfs_row_count(w->c, in, row);
		char key[64];

		if (!n)
			continue;
		snprintf(key, sizeof(key), "%.*s", (int)xfs_row_label_len(row), row->name);
		json_row(w, key, in, row, row->to, row->to + n - 1);
	}
}

void xfs_json_fields(struct xfs_json *j, const struct xfs_ctx *c, struct xfs_place top, enum xfs_crc_state crc)
{
	struct walk w = { j, c, crc };

	if (xfs_place_valid(c, top))
		json_struct(&w, top);
}

void xfs_json_path(struct xfs_json *j, const struct xfs_ctx *c, const struct xfs_path *path, const char *name,
		   enum xfs_crc_state crc)
{
	const struct xfs_path_step *step = &path->steps[path->nsteps - 1];
	struct walk w = { j, c, crc };

	json_row(&w, name, path->last, step->row, step->low, step->high);
}

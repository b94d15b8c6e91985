/* SPDX-License-Identifier: BSD-2-Clause */
/* print.c - text of structures and fields: layout of names, arrays and records. Values are in values.c. */
#include "libxfs/ondisk/print.h"

#include "libxfs/ondisk/values.h"

/* ---- names ---- */

/* The path of what is being printed; grows and shrinks with the descent. */
struct trail {
	struct xfs_text_out *out;
	const struct xfs_ctx *c;
	const struct xfs_printer *how;
	size_t len;
	char name[320];
};

/* Appends ".label" and, from `index` on, "[index]"; returns the length to come back to. */
static size_t trail_enter(struct trail *t, const struct xfs_row *row, bool indexed, uint64_t index)
{
	size_t before = t->len, n = xfs_row_label_len(row);

	if (t->len + n + 24 > sizeof(t->name))
		return before;
	if (t->len)
		t->name[t->len++] = '.';
	memcpy(t->name + t->len, row->name, n);
	t->len += n;
	if (indexed) {
		t->name[t->len++] = '[';
		t->len += xfs_decimal(t->name + t->len, index);
		t->name[t->len++] = ']';
	}
	return before;
}

static void put_name(struct trail *t, const struct xfs_row *row)
{
	xfs_out_bytes(t->out, t->name, t->len);
	if (t->len)
		xfs_out_bytes(t->out, ".", 1);
	xfs_out_bytes(t->out, row->name, xfs_row_label_len(row));
}

/* "name[low-high] = ", "name[low] = " for one element */
static void put_array_name(struct trail *t, const struct xfs_row *row, uint64_t low, uint64_t high)
{
	put_name(t, row);
	xfs_out_bytes(t->out, "[", 1);
	xfs_out_number(t->out, low);
	if (high != low) {
		xfs_out_bytes(t->out, "-", 1);
		xfs_out_number(t->out, high);
	}
	xfs_out_text(t->out, "] = ");
}

/* ---- parts ---- */

static unsigned print_struct(struct trail *t, struct xfs_place in);

static void print_scalar(struct trail *t, struct xfs_place in, const struct xfs_row *row)
{
	put_name(t, row);
	xfs_out_text(t->out, " = ");
	xfs_out_value(t->out, t->c, in, row, t->how->crc);
	xfs_out_bytes(t->out, "\n", 1);
}

/* "bno[1-3] = 1:7 2:8 3:9"; skipped elements leave nothing, but the blank behind the one before them */
static void print_scalars(struct trail *t, struct xfs_place in, const struct xfs_row *row, uint64_t low, uint64_t high)
{
	struct xfs_place elem;
	struct xfs_elems e;

	put_array_name(t, row, low, high);
	xfs_elems_start(&e, t->c, in, row, (size_t)(low - row->to));
	for (uint64_t i = low; i <= high && xfs_elems_next(&e, t->c, in, row, &elem); i++) {
		if (xfs_value_is_skipped(t->c, elem, elem.desc->rows))
			continue;
		if (low != high) {
			xfs_out_number(t->out, i);
			xfs_out_bytes(t->out, ":", 1);
		}
		xfs_out_value(t->out, t->c, elem, elem.desc->rows, t->how->crc);
		if (i != high)
			xfs_out_bytes(t->out, " ", 1);
	}
	xfs_out_bytes(t->out, "\n", 1);
}

#define MAXCOLUMNS 16u

struct columns {
	unsigned n;
	bool same;			/* for all elements */
	const struct xfs_row *rows[MAXCOLUMNS];
};

/* The rows of a record that are shown. */
static void find_columns(struct trail *t, struct xfs_place elem, struct columns *cols)
{
	cols->n = 0;
	cols->same = true;
	for (uint32_t r = 0; r < elem.desc->nrows; r++) {
		const struct xfs_row *col = &elem.desc->rows[r];

		cols->same &= col->kind == XR_BITS && !col->when && !col->at;
		if (cols->n < MAXCOLUMNS && !xfs_row_is_hidden(col) && xfs_row_count(t->c, elem, col))
			cols->rows[cols->n++] = col;
	}
}

/* The line of names, and one line an element; each but the last ends in a blank. */
static void print_records(struct trail *t, struct xfs_place in, const struct xfs_row *row, uint64_t low, uint64_t high)
{
	struct xfs_place elem = { row->elem, row->at(t->c, in.off, (size_t)(low - row->to)) };
	struct columns cols = { .n = 0 };
	struct xfs_elems e;

	put_array_name(t, row, low, high);
	if (xfs_place_valid(t->c, elem))
		find_columns(t, elem, &cols);
	for (unsigned k = 0; k < cols.n; k++) {
		xfs_out_char(t->out, k ? ',' : '[');
		xfs_out_bytes(t->out, cols.rows[k]->name, xfs_row_label_len(cols.rows[k]));
	}
	xfs_out_char(t->out, ']');
	xfs_elems_start(&e, t->c, in, row, (size_t)(low - row->to));
	for (uint64_t i = low; i <= high && xfs_elems_next(&e, t->c, in, row, &elem); i++) {
		xfs_out_text(t->out, " \n");
		xfs_out_number(t->out, i);
		xfs_out_char(t->out, ':');
		if (!cols.same)
			find_columns(t, elem, &cols);
		for (unsigned k = 0; k < cols.n; k++) {
			xfs_out_char(t->out, k ? ',' : '[');
			xfs_out_value(t->out, t->c, elem, cols.rows[k], t->how->crc);
		}
		xfs_out_char(t->out, ']');
	}
	xfs_out_char(t->out, '\n');
}

static void print_inside(struct trail *t, struct xfs_place elem, const struct xfs_row *row, bool indexed,
		uint64_t index)
{
	size_t back = trail_enter(t, row, indexed, index);

	if (!print_struct(t, elem) && !indexed) {
		xfs_out_bytes(t->out, t->name, t->len);
		xfs_out_text(t->out, " = (empty)\n");
	}
	t->len = back;
}

/* Elements low to high of a row that exists. */
static void print_row(struct trail *t, struct xfs_place in, const struct xfs_row *row, uint64_t low, uint64_t high)
{
	struct xfs_place elem;
	struct xfs_elems e;

	if (row->kind != XR_ARRAY) {
		print_scalar(t, in, row);
	} else if (row->order & XA_ONE) {
		elem = (struct xfs_place){ row->elem, row->at(t->c, in.off, 0) };
		if (row->order & XA_SCALAR)
			print_scalar(t, elem, row->elem->rows);
		else
			print_inside(t, elem, row, false, 0);
	} else if (row->order & XA_SCALAR) {
		print_scalars(t, in, row, low, high);
	} else if (row->order & XA_REC) {
		print_records(t, in, row, low, high);
	} else {
		xfs_elems_start(&e, t->c, in, row, (size_t)(low - row->to));
		for (uint64_t i = low; (i <= high || i == low) && xfs_elems_next(&e, t->c, in, row, &elem); i++)
			print_inside(t, elem, row, true, i);
	}
}

/* All rows of a structure that are not hidden; how many there were. */
static unsigned print_struct(struct trail *t, struct xfs_place in)
{
	unsigned shown = 0;

	for (uint32_t r = 0; r < in.desc->nrows && !t->out->err; r++) {
		const struct xfs_row *row = &in.desc->rows[r];
		size_t n = xfs_row_is_hidden(row) ? 0 : xfs_row_count(t->c, in, row);

		if (!n)
			continue;
		print_row(t, in, row, row->to, row->to + n - 1);
		shown++;
	}
	return shown;
}

static void print_steps(struct trail *t, struct xfs_place in, const struct xfs_path *path, unsigned k)
{
	const struct xfs_path_step *step = &path->steps[k];
	const struct xfs_row *row = step->row;
	struct xfs_place elem;
	struct xfs_elems e;

	if (k + 1 == path->nsteps) {
		if (xfs_row_count(t->c, in, row))
			print_row(t, in, row, step->low, step->high);
		return;
	}
	if (!xfs_row_is_array(row)) {
		size_t back = trail_enter(t, row, false, 0);

		print_steps(t, (struct xfs_place){ row->elem, row->at(t->c, in.off, 0) }, path, k + 1);
		t->len = back;
		return;
	}
	xfs_elems_start(&e, t->c, in, row, (size_t)(step->low - row->to));
	for (uint64_t i = step->low; (i <= step->high || i == step->low) && xfs_elems_next(&e, t->c, in, row, &elem);
	     i++) {
		size_t back = trail_enter(t, row, true, i);

		print_steps(t, elem, path, k + 1);
		t->len = back;
	}
}

int xfs_print_all(const struct xfs_ctx *c, struct xfs_place top, const struct xfs_printer *how)
{
	struct xfs_text_out out = { .sink = how->sink };
	struct trail t = { .out = &out, .c = c, .how = how };

	if (!xfs_place_valid(c, top) || !print_struct(&t, top))
		xfs_out_text(&out, " = Unrecognized metadata or type mismatch\n");
	return xfs_out_flush(&out);
}

int xfs_print_path(const struct xfs_ctx *c, struct xfs_place top, const struct xfs_path *path,
		const struct xfs_printer *how)
{
	struct xfs_text_out out = { .sink = how->sink };
	struct trail t = { .out = &out, .c = c, .how = how };

	print_steps(&t, top, path, 0);
	return xfs_out_flush(&out);
}

int xfs_print_value(const struct xfs_ctx *c, struct xfs_place in, const struct xfs_row *row,
		const struct xfs_printer *how)
{
	struct xfs_text_out out = { .sink = how->sink };

	xfs_out_value(&out, c, in, row, how->crc);
	return xfs_out_flush(&out);
}

int xfs_print_string(const uint8_t *p, size_t len, const struct xfs_printer *how)
{
	struct xfs_text_out out = { .sink = how->sink };

	xfs_out_string(&out, p, len);
	return xfs_out_flush(&out);
}

/* ---- dumps ---- */

static unsigned hex_digits(size_t last)
{
	unsigned n = 1;

	while (last >>= 4)
		n++;
	return n;
}

int xfs_print_data(const uint8_t *p, size_t len, const struct xfs_printer *how)
{
	struct xfs_text_out out = { .sink = how->sink };
	unsigned digits = hex_digits(len ? (len - 1) / 32 * 32 : 0);

	for (size_t line = 0; line < len; line += 32) {
		xfs_out_hex(&out, line, digits);
		xfs_out_bytes(&out, ":", 1);
		for (size_t i = line; i < len && i < line + 32; i++) {
			if (i % 4 == 0)
				xfs_out_bytes(&out, " ", 1);
			xfs_out_hex(&out, p[i], 2);
		}
		xfs_out_bytes(&out, "\n", 1);
	}
	return xfs_out_flush(&out);
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int xfs_print_text(const uint8_t *p, size_t len, const struct xfs_printer *how)
{
	struct xfs_text_out out = { .sink = how->sink };
	unsigned digits = hex_digits(len ? (len - 1) / 16 * 16 : 0);

	for (size_t line = 0; line < len; line += 16) {
		xfs_out_hex(&out, line, digits);
		xfs_out_text(&out, ":  ");
		for (size_t i = line; i < len && i < line + 16; i++) {
			xfs_out_hex(&out, p[i], 2);
			xfs_out_bytes(&out, " ", 1);
		}
		xfs_out_bytes(&out, " ", 1);
		for (size_t i = line; i < len && i < line + 16; i++)
			xfs_out_bytes(&out, is_alnum(p[i]) ? (const char *)&p[i] : ".", 1);
		xfs_out_bytes(&out, "\n", 1);
	}
	return xfs_out_flush(&out);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* words.h - how xfs_repair speaks: findings and banners as text on stderr, or findings as JSON on stdout. */
#ifndef REPAIR_WORDS_H
#define REPAIR_WORDS_H

#include "repair/repair.h"

struct repair_text {
	struct repair *r;
	bool json;
	uint64_t said;
};

/* Connects the repair's sink and words to the streams. */
void repair_text_init(struct repair_text *, struct repair *, struct repair_words *, bool json);
/* The last lines. */
void repair_text_end(struct repair_text *, int error);

#endif

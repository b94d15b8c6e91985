/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vectors.h - loads the machine-readable vectors (tests/data/vectors) for unit tests.
 */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include <check.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The parsed file tests/data/vectors/NAME; fails the test when it can't be read. Free with json_decref(). */
json_t *vectors_load(const char *name);
/* Member KEY of an object; fails the test when it is missing. Borrowed. */
json_t *vectors_get(json_t *obj, const char *key);
/* An integer: JSON number or decimal string, negative ones as two's complement. */
uint64_t vectors_u64(json_t *v);
uint64_t vectors_get_u64(json_t *obj, const char *key);
const char *vectors_get_str(json_t *obj, const char *key);
/* Bytes of a hex string; *len is set. Caller frees. */
uint8_t *vectors_hex(const char *hex, size_t *len);
/* A sample with "hex", "length", "zero_tail": the whole `length` bytes. Caller frees. */
uint8_t *vectors_sample(json_t *row, size_t *len);
/* Runs the suite as a program; returns the exit status. */
int vectors_main(Suite *suite);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jansson.h - the part of the Jansson interface that the unit tests use, for targets that have no such library.
 *
 * Integers, strings, booleans, null, arrays and objects; no reals.  Memory is given back when the program ends.
 */
#ifndef TESTS_CROSS_JANSSON_H
#define TESTS_CROSS_JANSSON_H

#include <stddef.h>
#include <string.h>

typedef enum {
	JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_INTEGER, JSON_REAL, JSON_TRUE, JSON_FALSE, JSON_NULL
} json_type;
typedef long long json_int_t;
typedef struct json_t {
	json_type type;
	json_int_t integer;
	char *text;			/* of a string; may hold zero bytes, ends with one */
	size_t length;
	struct json_t **items;		/* of an array or object */
	char **keys;
	size_t n;
} json_t;
typedef struct { int line; char text[160]; } json_error_t;

#define JSON_ALLOW_NUL 0

json_t *json_load_file(const char *path, size_t flags, json_error_t *err);
json_t *json_loadb(const char *text, size_t len, size_t flags, json_error_t *err);	/* a zero byte behind it */
static inline json_t *json_loads(const char *text, size_t flags, json_error_t *err)
{
	return json_loadb(text, strlen(text), flags, err);
}
json_t *json_object_get(const json_t *obj, const char *key);
static inline json_t *json_array_get(const json_t *a, size_t i)
{
	return a && a->type == JSON_ARRAY && i < a->n ? a->items[i] : NULL;
}
static inline size_t json_array_size(const json_t *a) { return a && a->type == JSON_ARRAY ? a->n : 0; }
static inline size_t json_object_size(const json_t *a) { return a && a->type == JSON_OBJECT ? a->n : 0; }
static inline const char *json_string_value(const json_t *v) { return v && v->type == JSON_STRING ? v->text : NULL; }
static inline size_t json_string_length(const json_t *v) { return v && v->type == JSON_STRING ? v->length : 0; }
static inline json_int_t json_integer_value(const json_t *v) { return v && v->type == JSON_INTEGER ? v->integer : 0; }
static inline void json_decref(json_t *v) { (void)v; }
#define json_typeof(v) ((v)->type)
#define json_is_object(v) ((v) && (v)->type == JSON_OBJECT)
#define json_is_array(v) ((v) && (v)->type == JSON_ARRAY)
#define json_is_string(v) ((v) && (v)->type == JSON_STRING)
#define json_is_integer(v) ((v) && (v)->type == JSON_INTEGER)
#define json_is_number(v) json_is_integer(v)
#define json_is_true(v) ((v) && (v)->type == JSON_TRUE)
#define json_is_false(v) ((v) && (v)->type == JSON_FALSE)
#define json_boolean_value(v) json_is_true(v)
#define json_is_boolean(v) ((v) && ((v)->type == JSON_TRUE || (v)->type == JSON_FALSE))
#define json_is_null(v) ((v) && (v)->type == JSON_NULL)
#define json_array_foreach(a, i, v) for ((i) = 0; (i) < json_array_size(a) && ((v) = json_array_get(a, i)); (i)++)
#define json_object_foreach(o, k, v) \
	for (size_t k_##v = 0; \
	     k_##v < json_object_size(o) && ((k) = (o)->keys[k_##v], (v) = (o)->items[k_##v]); k_##v++)

#endif

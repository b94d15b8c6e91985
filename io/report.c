/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - what commands print alike: failed calls, sizes, timing lines, dumps (format sheet 09, section 3). */
#include "io/io.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <time.h>

int io_perror(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return IO_FAIL;
}

double io_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Whole numbers that fit an int are shown without decimals, even when the division leaves a remainder. */
static bool is_plain(double value)
{
	return value >= INT_MIN && value <= INT_MAX && (double)(int)value == value;
}

void io_format_size(double value, char text[IO_TEXT_SIZE])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	size_t u = 0;
	double scaled = value;
	while (scaled >= 1024.0 && u + 1 < sizeof(units) / sizeof(units[0])) {
		scaled /= 1024.0;
		u++;
	}
	if (u == 0)
		snprintf(text, IO_TEXT_SIZE, "%f bytes", scaled);
	else
		snprintf(text, IO_TEXT_SIZE, "%.*f %s", is_plain(value) ? 0 : 3, scaled, units[u]);
}

/* H:MM:SS.hh, below one second in tenths of milliseconds unless the long form is asked for. */
static void format_seconds(double seconds, bool always_long, char text[IO_TEXT_SIZE])
{
	if (seconds < 1.0 && !always_long) {
		snprintf(text, IO_TEXT_SIZE, "0.%04u sec", (unsigned)(seconds * 10000.0));
		return;
	}
	uint64_t whole = (uint64_t)seconds;
	snprintf(text, IO_TEXT_SIZE, "%" PRIu64 ":%02u:%02u.%02u", whole / 3600, (unsigned)(whole / 60 % 60),
		(unsigned)(whole % 60), (unsigned)((seconds - (double)whole) * 100.0));
}

void io_report(const struct io_report *r, bool csv)
{
	char size[IO_TEXT_SIZE], rate[IO_TEXT_SIZE], duration[IO_TEXT_SIZE];
	double bytes_rate = (double)r->done / r->seconds, ops_rate = (double)r->ops / r->seconds;

	format_seconds(r->seconds, csv, duration);
	if (csv) {
		printf("%" PRId64 ",%" PRId64 ",%s,%.3f,%.3f\n", r->done, r->ops, duration, bytes_rate, ops_rate);
		return;
	}
	io_format_size((double)r->done, size);
	io_format_size(bytes_rate, rate);
	printf("%s %" PRId64 "/%" PRId64 " bytes at offset %" PRId64 "\n", r->verb, r->done, r->requested, r->offset);
	printf("%s, %" PRId64 " ops; %s (%s/sec and %.4f ops/sec)\n", size, r->ops, duration, rate, ops_rate);
}

void io_dump(uint64_t label, const unsigned char *bytes, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	for (size_t at = 0; at < len; at += 16) {
		size_t n = len - at < 16 ? len - at : 16;
		char hex[16 * 3 + 1], chars[17];
		for (size_t i = 0; i < n; i++) {
			unsigned char b = bytes[at + i];
			hex[3 * i] = digit[b >> 4];
			hex[3 * i + 1] = digit[b & 15];
			hex[3 * i + 2] = ' ';
			chars[i] = isalnum(b) ? (char)b : '.';
		}
		hex[3 * n] = chars[n] = '\0';
		printf("%08" PRIx64 ":  %s %s\n", label + at, hex, chars);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* encrypt.c - set_encpolicy, get_encpolicy, add_enckey, rm_enckey, enckey_status: the fscrypt ioctls. */
#include "io/io.h"

#include <errno.h>
#include <linux/fscrypt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct { uint8_t mode; const char *name; } modes[] = {
	{ 1, "AES-256-XTS" }, { 4, "AES-256-CTS" }, { 5, "AES-128-CBC" }, { 6, "AES-128-CTS" }, { 7, "SM4-XTS" },
	{ 8, "SM4-CTS" }, { 9, "Adiantum" }, { 10, "AES-256-HCTR2" },
};

static const char *mode_name(uint8_t mode)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (modes[i].mode == mode)
			return modes[i].name;
	return "unknown";
}

static bool parse_mode(const char *text, uint8_t *mode)
{
	uint64_t v;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcasecmp(modes[i].name, text)) {
			*mode = modes[i].mode;
			return true;
		}
	}
	if (!io_parse_u64(text, UINT8_MAX, &v))
		return false;
	*mode = (uint8_t)v;
	return true;
}

/* n bytes as hex digits, exactly. */
static bool parse_hex(const char *text, uint8_t *bytes, size_t n)
{
	if (strlen(text) != 2 * n || strspn(text, "0123456789abcdefABCDEF") != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char two[3] = { text[2 * i], text[2 * i + 1], '\0' };
		bytes[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return true;
}

static void print_hex(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
}

/* Descriptor (v1) or identifier (v2), told apart by the length. */
static bool parse_specifier(const char *text, struct fscrypt_key_specifier *s)
{
	memset(s, 0, sizeof(*s));
	if (parse_hex(text, s->u.descriptor, FSCRYPT_KEY_DESCRIPTOR_SIZE))
		s->type = FSCRYPT_KEY_SPEC_TYPE_DESCRIPTOR;
	else if (parse_hex(text, s->u.identifier, FSCRYPT_KEY_IDENTIFIER_SIZE))
		s->type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER;
	else
		fprintf(stderr, "invalid key specifier: %s\n", text);
	return s->type != 0;
}

static void print_specifier(const struct fscrypt_key_specifier *s)
{
	if (s->type == FSCRYPT_KEY_SPEC_TYPE_DESCRIPTOR) {
		printf("descriptor ");
		print_hex(s->u.descriptor, FSCRYPT_KEY_DESCRIPTOR_SIZE);
	} else {
		printf("identifier ");
		print_hex(s->u.identifier, FSCRYPT_KEY_IDENTIFIER_SIZE);
	}
}

/* --- policies --- */

struct set_opts {
	const char *contents, *names, *flags, *version;
};

static const struct io_opt set_options[] = {
	{ 'c', IO_OPT_TEXT, offsetof(struct set_opts, contents), 0, "MODE", "how contents are encrypted", NULL },
	{ 'n', IO_OPT_TEXT, offsetof(struct set_opts, names), 0, "MODE", "how file names are encrypted", NULL },
	{ 'f', IO_OPT_TEXT, offsetof(struct set_opts, flags), 0, "FLAGS", "flags of the policy, a number", NULL },
	{ 'v', IO_OPT_TEXT, offsetof(struct set_opts, version), 0, "VERSION", "version of the policy, 1 or 2", NULL },
	{ 0 },
};

union any_policy {
	uint8_t version;
	struct fscrypt_policy_v1 v1;
	struct fscrypt_policy_v2 v2;
};

/* Policy from options and the optional key; false after a message. */
static bool build_policy(const struct set_opts *o, const char *key, union any_policy *p)
{
	uint8_t contents = FSCRYPT_MODE_AES_256_XTS, names = FSCRYPT_MODE_AES_256_CTS;
	uint64_t flags = FSCRYPT_POLICY_FLAGS_PAD_16, version = 0;
	uint8_t id[FSCRYPT_KEY_IDENTIFIER_SIZE] = { 0 };

	if (o->contents && !parse_mode(o->contents, &contents)) {
		fprintf(stderr, "invalid contents encryption mode: %s\n", o->contents);
		return false;
	}
	if (o->names && !parse_mode(o->names, &names)) {
		fprintf(stderr, "invalid filenames encryption mode: %s\n", o->names);
		return false;
	}
	if (o->flags && !io_parse_u64(o->flags, UINT8_MAX, &flags)) {
		fprintf(stderr, "invalid flags: %s\n", o->flags);
		return false;
	}
	if (o->version && (!io_parse_u64(o->version, 2, &version) || !version)) {
		fprintf(stderr, "invalid policy version: %s\n", o->version);
		return false;
	}
	if (!version)		/* without a version the length of the key tells it */
		version = key && strlen(key) == 2 * FSCRYPT_KEY_IDENTIFIER_SIZE ? 2 : 1;
	if (key && !o->version && version == 1 && strlen(key) != 2 * FSCRYPT_KEY_DESCRIPTOR_SIZE) {
		fprintf(stderr, "invalid key specifier: %s\n", key);
		return false;
	}
	size_t size = version == 2 ? FSCRYPT_KEY_IDENTIFIER_SIZE : FSCRYPT_KEY_DESCRIPTOR_SIZE;
	if (key && !parse_hex(key, id, size)) {
		fprintf(stderr, "invalid key %s: %s\n", version == 2 ? "identifier" : "descriptor", key);
		return false;
	}
	memset(p, 0, sizeof(*p));
	if (version == 2) {
		p->v2 = (struct fscrypt_policy_v2){ .version = FSCRYPT_POLICY_V2, .contents_encryption_mode = contents,
			.filenames_encryption_mode = names, .flags = (uint8_t)flags };
		memcpy(p->v2.master_key_identifier, id, size);
	} else {
		p->v1 = (struct fscrypt_policy_v1){ .version = FSCRYPT_POLICY_V1, .contents_encryption_mode = contents,
			.filenames_encryption_mode = names, .flags = (uint8_t)flags };
		memcpy(p->v1.master_key_descriptor, id, size);
	}
	return true;
}

static int set_encpolicy_run(struct io *io, struct io_call *c)
{
	const struct io_file *f = io_current(io);
	union any_policy p;
	if (c->argc > 1)
		return io_usage(c);
	if (!build_policy(c->opts, c->argv[0], &p))
		return IO_FAIL;
	if (ioctl(f->fd, FS_IOC_SET_ENCRYPTION_POLICY, &p) == 0)
		return IO_OK;
	fprintf(stderr, "%s: failed to set encryption policy: %s\n", f->name, strerror(errno));
	return IO_FAIL;
}

struct get_opts {
	bool old, test;
};

static const struct io_opt get_options[] = {
	{ '1', IO_OPT_FLAG, offsetof(struct get_opts, old), 0, NULL, "only the old ioctl, for policies of version 1",
	  NULL },
	{ 't', IO_OPT_FLAG, offsetof(struct get_opts, test), 0, NULL,
	  "tell whether policies of version 2 are supported", NULL },
	{ 0 },
};

static void print_policy(const char *path, const union any_policy *p)
{
	bool v2 = p->version == FSCRYPT_POLICY_V2;
	uint8_t contents = v2 ? p->v2.contents_encryption_mode : p->v1.contents_encryption_mode;
	uint8_t names = v2 ? p->v2.filenames_encryption_mode : p->v1.filenames_encryption_mode;
	printf("Encryption policy for %s:\n\tPolicy version: %u\n\tMaster key %s: ", path, p->version,
		v2 ? "identifier" : "descriptor");
	if (v2)
		print_hex(p->v2.master_key_identifier, FSCRYPT_KEY_IDENTIFIER_SIZE);
	else
		print_hex(p->v1.master_key_descriptor, FSCRYPT_KEY_DESCRIPTOR_SIZE);
	printf("\n\tContents encryption mode: %u (%s)\n\tFilenames encryption mode: %u (%s)\n\tFlags: 0x%02x\n",
	       contents, mode_name(contents), names, mode_name(names), v2 ? p->v2.flags : p->v1.flags);
}

/* A size that fits no policy: kernels with the new ioctl say EINVAL or EOVERFLOW, others do not know it. */
static int test_support(const char *path, int fd)
{
	struct fscrypt_get_policy_ex_arg a = { .policy_size = 0 };
	if (ioctl(fd, FS_IOC_GET_ENCRYPTION_POLICY_EX, &a) == 0 || errno == EINVAL || errno == EOVERFLOW ||
	    errno == ENODATA) {
		puts("supported");
	} else if (errno == ENOTTY) {
		puts("unsupported");
	} else {
		fprintf(stderr, "%s: unexpected error checking for FS_IOC_GET_ENCRYPTION_POLICY_EX support: %s\n", path,
			strerror(errno));
		return IO_FAIL;
	}
	return IO_OK;
}

static int get_encpolicy_run(struct io *io, struct io_call *c)
{
	const struct get_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	struct fscrypt_get_policy_ex_arg a;
	union any_policy p;
	if (c->argc)
		return io_usage(c);
	if (o->test)
		return test_support(f->name, f->fd);
	memset(&a, 0, sizeof(a));
	memset(&p, 0, sizeof(p));
	a.policy_size = sizeof(a.policy);
	int res = -1;
	errno = ENOTTY;
	if (!o->old)
		res = ioctl(f->fd, FS_IOC_GET_ENCRYPTION_POLICY_EX, &a);
	if (res == 0)
		memcpy(&p, &a.policy, sizeof(p));
	else if (errno == ENOTTY)
		res = ioctl(f->fd, FS_IOC_GET_ENCRYPTION_POLICY, &p.v1);
	if (res < 0) {
		fprintf(stderr, "%s: failed to get encryption policy: %s\n", f->name, strerror(errno));
		return IO_FAIL;
	}
	print_policy(f->name, &p);
	return IO_OK;
}

/* --- keys --- */

struct add_opts {
	const char *descriptor, *id;
};

static const struct io_opt add_options[] = {
	{ 'd', IO_OPT_TEXT, offsetof(struct add_opts, descriptor), 0, "DESCRIPTOR",
	  "for policies of version 1 with this descriptor (without it: version 2)", NULL },
	{ 'k', IO_OPT_TEXT, offsetof(struct add_opts, id), 0, "KEY_ID",
	  "number of a key of the kernel's keyring that has the secret (without it: stdin)", NULL },
	{ 0 },
};

/* Reads the secret. Returns its length, or -1 after a message. */
static ssize_t read_secret(uint8_t *raw)
{
	uint8_t extra;
	size_t n = 0;
	for (;;) {
		uint8_t *to = n < FSCRYPT_MAX_KEY_SIZE ? raw + n : &extra;
		ssize_t got = read(STDIN_FILENO, to, n < FSCRYPT_MAX_KEY_SIZE ? FSCRYPT_MAX_KEY_SIZE - n : 1);
		if (got < 0) {
			io_perror("Error reading key from stdin");
			return -1;
		}
		if (got == 0)
			return (ssize_t)n;
		if (n == FSCRYPT_MAX_KEY_SIZE) {
			fprintf(stderr, "Invalid key; got > FSCRYPT_MAX_KEY_SIZE (%d) bytes on stdin!\n",
				FSCRYPT_MAX_KEY_SIZE);
			return -1;
		}
		n += (size_t)got;
	}
}

static int add_enckey_run(struct io *io, struct io_call *c)
{
	const struct add_opts *o = c->opts;
	union {			/* the secret follows the structure */
		struct fscrypt_add_key_arg arg;
		uint8_t bytes[sizeof(struct fscrypt_add_key_arg) + FSCRYPT_MAX_KEY_SIZE];
	} a;
	uint64_t id;
	if (c->argc)
		return io_usage(c);
	memset(&a, 0, sizeof(a));
	a.arg.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER;
	if (o->descriptor) {
		a.arg.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_DESCRIPTOR;
		if (!parse_hex(o->descriptor, a.arg.key_spec.u.descriptor, FSCRYPT_KEY_DESCRIPTOR_SIZE)) {
			fprintf(stderr, "invalid key descriptor: %s\n", o->descriptor);
			return IO_FAIL;
		}
	}
	if (o->id) {
		if (!io_parse_u64(o->id, INT32_MAX, &id) || !id) {
			fprintf(stderr, "invalid key ID: %s\n", o->id);
			return IO_FAIL;
		}
		a.arg.key_id = (uint32_t)id;
	} else {
		ssize_t n = read_secret(a.arg.raw);
		if (n < 0)
			return IO_FAIL;
		a.arg.raw_size = (uint32_t)n;
	}
	int res = IO_OK;
	if (ioctl(io_current(io)->fd, FS_IOC_ADD_ENCRYPTION_KEY, &a.arg) < 0) {
		res = io_perror("Error adding encryption key");
	} else {
		printf("Added encryption key with ");
		print_specifier(&a.arg.key_spec);
		putchar('\n');
	}
	explicit_bzero(&a, sizeof(a));
	return res;
}

struct rm_opts {
	bool all;
};

static const struct io_opt rm_options[] = {
	{ 'a', IO_OPT_FLAG, offsetof(struct rm_opts, all), 0, NULL, "for all users who have added it", NULL },
	{ 0 },
};

static int rm_enckey_run(struct io *io, struct io_call *c)
{
	const struct rm_opts *o = c->opts;
	struct fscrypt_remove_key_arg a;
	if (c->argc != 1)
		return io_usage(c);
	memset(&a, 0, sizeof(a));
	if (!parse_specifier(c->argv[0], &a.key_spec))
		return IO_FAIL;
	unsigned long call = o->all ? FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS : FS_IOC_REMOVE_ENCRYPTION_KEY;
	if (ioctl(io_current(io)->fd, call, &a) < 0)
		return io_perror("Error removing encryption key");
	const char *note = "";
	if (a.removal_status_flags & FSCRYPT_KEY_REMOVAL_STATUS_FLAG_OTHER_USERS)
		note = " (other users still have it added)";
	else if (a.removal_status_flags & FSCRYPT_KEY_REMOVAL_STATUS_FLAG_FILES_BUSY)
		note = ", but files still busy";
	printf("Removed encryption key with ");
	print_specifier(&a.key_spec);
	printf("%s\n", note);
	return IO_OK;
}

static int enckey_status_run(struct io *io, struct io_call *c)
{
	struct fscrypt_get_key_status_arg a;
	memset(&a, 0, sizeof(a));
	if (!parse_specifier(c->argv[0], &a.key_spec))
		return IO_FAIL;
	if (ioctl(io_current(io)->fd, FS_IOC_GET_ENCRYPTION_KEY_STATUS, &a) < 0)
		return io_perror("Error getting encryption key status");
	if (a.status == FSCRYPT_KEY_STATUS_ABSENT)
		printf("Absent");
	else if (a.status == FSCRYPT_KEY_STATUS_PRESENT)
		printf("Present");
	else if (a.status == FSCRYPT_KEY_STATUS_INCOMPLETELY_REMOVED)
		printf("Incompletely removed");
	else
		printf("Unknown status (%u)", a.status);
	if (a.status == FSCRYPT_KEY_STATUS_PRESENT && a.user_count) {
		printf(" (user_count=%u", a.user_count);
		if (a.status_flags & FSCRYPT_KEY_STATUS_FLAG_ADDED_BY_SELF)
			printf(", added_by_self");
		putchar(')');
	}
	putchar('\n');
	return IO_OK;
}

const struct io_command io_encrypt_commands[] = {
	{ .name = "set_encpolicy", .args = "[-c mode] [-n mode] [-f flags] [-v version] [keyspec]",
	  .oneline = "give an empty directory an encryption policy", .opts = set_options,
	  .about = " keyspec: 16 hex digits (version 1) or 32 (version 2); zeroes without it.\n"
		" MODE: a number, or AES-256-XTS, AES-256-CTS, AES-128-CBC, AES-128-CTS, SM4-XTS, SM4-CTS, Adiantum,\n"
		" AES-256-HCTR2.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = set_encpolicy_run },
	{ .name = "get_encpolicy", .args = "[-1] [-t]", .oneline = "show the encryption policy of the file",
	  .opts = get_options, .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = get_encpolicy_run },
	{ .name = "add_enckey", .args = "[-d descriptor] [-k key_id]",
	  .oneline = "give the filesystem an encryption key", .opts = add_options,
	  .about = " The secret is read from stdin as it is (binary).\n", .argmin = 0, .argmax = IO_ANY,
	  .flags = IO_FOREIGN, .run = add_enckey_run },
	{ .name = "rm_enckey", .args = "[-a] keyspec", .oneline = "take an encryption key from the filesystem",
	  .opts = rm_options, .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = rm_enckey_run },
	{ .name = "enckey_status", .args = "keyspec", .oneline = "tell whether the filesystem has an encryption key",
	  .argmin = 1, .argmax = 1, .flags = IO_FOREIGN, .run = enckey_status_run },
	{ 0 },
};

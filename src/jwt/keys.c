/*
 * The keys of a process: the secret, and those of a file that may change.
 */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "jwt/internal.h"

#define SETTLED_MS 2000

struct jwt_keys {
    struct jwt_key secret; /* mac NULL: there is none */
    struct jwt_key_list list;
    struct jwt_cache *cache;                /* what these keys have found good */
    char *path;                             /* NULL: there is no file */
    struct stat seen;                       /* of the file, when it was read last */
    unsigned char digest[JWT_DIGEST_BYTES]; /* of the text that was read last */
    bool away;                              /* there was no file last time, and that was said */
};

/* --- which key ----------------------------------------------------------------------------- */

static bool
has_kid(const struct jwt_key *key, const char *kid)
{
    return key->kid != NULL && strcmp(key->kid, kid) == 0;
}

static bool
knows_kid(const struct jwt_key_list *list, const char *kid)
{
    for (size_t i = 0; i < list->n; i++) {
        if (has_kid(&list->keys[i], kid))
            return true;
    }
    return false;
}

/*
 * A token with a kid is for the key of that name, a token without one for any key of its
 * algorithm.  The secret has no name, but Supabase puts one into tokens that are signed with
 * it: so it is for every kid that no key of the file has.
 */
static enum jwt_verdict
try_keys(const struct jwt_keys *keys, enum jwt_alg alg, const char *kid,
         const struct jwt_signed *what)
{
    bool tried = false;

    for (size_t i = 0; i < keys->list.n; i++) {
        const struct jwt_key *key = &keys->list.keys[i];

        if (key->alg != alg || (kid != NULL && !has_kid(key, kid)))
            continue;
        if (jwt_key_verifies(key, what->text, what->signature))
            return JWT_GOOD;
        tried = true;
    }
    if (alg == JWT_HS256 && keys->secret.mac != NULL &&
        (kid == NULL || !knows_kid(&keys->list, kid))) {
        if (jwt_key_verifies(&keys->secret, what->text, what->signature))
            return JWT_GOOD;
        tried = true;
    }
    return tried ? JWT_BAD_SIGNATURE : JWT_NO_KEY;
}

/* A HMAC costs no more than to look whether it was good before. */
enum jwt_verdict
jwt_keys_judge(const struct jwt_keys *keys, enum jwt_alg alg, const char *kid,
               const struct jwt_signed *what)
{
    unsigned char digest[JWT_DIGEST_BYTES];
    enum jwt_verdict verdict;

    if (alg == JWT_HS256 || alg == JWT_ALGS || !jwt_digest(what->token, digest))
        return try_keys(keys, alg, kid, what);
    if (jwt_cache_has(keys->cache, digest))
        return JWT_GOOD;
    verdict = try_keys(keys, alg, kid, what);
    if (verdict == JWT_GOOD)
        jwt_cache_add(keys->cache, digest);
    return verdict;
}

struct jwt_cache *
jwt_keys_cache(const struct jwt_keys *keys)
{
    return keys->cache;
}

size_t
jwt_keys_count(const struct jwt_keys *keys)
{
    return keys->list.n + (keys->secret.mac != NULL);
}

/* --- the file ------------------------------------------------------------------------------ */

/* One byte more than allowed is read, to see that there is more. */
static bool
read_all(int fd, struct buf *ret, struct err *err)
{
    char *data = buf_reserve(ret, JWKS_BYTES_MAX + 1);
    ssize_t n;

    do {
        n = read(fd, data + ret->len, JWKS_BYTES_MAX + 1 - ret->len);
        if (n < 0)
            return err_errno(err, ERR_CONFIG, "cannot read it");
        ret->len += (size_t)n;
    } while (n > 0 && ret->len <= JWKS_BYTES_MAX);
    return ret->len <= JWKS_BYTES_MAX || err_set(err, ERR_CONFIG, "it is longer than 1 MiB");
}

/* Never waits: no FIFOs. */
static bool
read_file(const char *path, struct stat *ret_seen, struct buf *ret, struct err *err)
{
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, ret_seen) < 0)
        return err_errno(err, ERR_CONFIG, "cannot read it");
    if (!S_ISREG(ret_seen->st_mode))
        return err_set(err, ERR_CONFIG, "it is not a file");
    return read_all(fd, ret, err);
}

/* The text becomes keys, if it is another one than the last that was read, good or bad. */
static bool
take_text(struct jwt_keys *keys, const char *text, size_t len, bool *ret_changed, struct err *err)
{
    struct jwt_key_list list;
    unsigned char digest[sizeof(keys->digest)];

    if (!jwt_digest((struct jwt_bytes){text, len}, digest))
        return err_set(err, ERR_RETRY, "OpenSSL does not make a digest");
    if (memcmp(digest, keys->digest, sizeof(digest)) == 0)
        return true;
    memcpy(keys->digest, digest, sizeof(digest));
    if (!jwt_jwks_parse(text, len, &list, err))
        return false;
    jwt_key_list_release(&keys->list);
    keys->list = list;
    jwt_cache_clear(keys->cache);
    *ret_changed = true;
    return true;
}

/*
 * A file that was written just now may be written again without another time or size: it
 * counts as not seen yet.
 */
static void
forget_if_new(struct stat *seen)
{
    int64_t written_ms = (int64_t)seen->st_mtim.tv_sec * 1000 + seen->st_mtim.tv_nsec / 1000000;

    if (clock_real_ms() - written_ms < SETTLED_MS)
        *seen = (struct stat){.st_ino = 0};
}

static bool
load(struct jwt_keys *keys, bool *ret_changed, struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};
    bool done = read_file(keys->path, &keys->seen, &text, err) &&
                take_text(keys, text.data, text.len, ret_changed, err);

    if (text.data != NULL)
        OPENSSL_cleanse(text.data, text.room);
    forget_if_new(&keys->seen);
    return done || err_before(err, "JWKS file '%s'", keys->path);
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool
jwt_keys_refresh(struct jwt_keys *keys, bool *ret_changed, struct err *err)
{
    struct stat st;

    *ret_changed = false;
    if (keys->path == NULL)
        return true;
    if (stat(keys->path, &st) == 0)
        keys->away = false;
    else if (keys->away)
        return true;
    else
        keys->away = true;
    if (!keys->away && is_same(&st, &keys->seen))
        return true;
    return load(keys, ret_changed, err);
}

/* --- from the first to the last ------------------------------------------------------------ */

static bool
is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool
fill(const struct jwt_key_source *from, struct jwt_keys *keys, struct err *err)
{
    struct jwt_bytes secret = {from->secret, 0};
    bool changed;

    if (is_given(from->secret)) {
        secret.len = strlen(from->secret);
        if (!jwt_key_of_secret(secret, &keys->secret, err))
            return err_before(err, "JWT secret");
    }
    if (is_given(from->jwks_file)) {
        keys->path = xstrdup(from->jwks_file);
        if (!load(keys, &changed, err))
            return false;
    }
    if (jwt_keys_count(keys) > 0)
        return true;
    if (keys->path != NULL)
        return err_set(err, ERR_CONFIG, "JWKS file '%s' has no usable key", keys->path);
    return err_set(err, ERR_CONFIG, "neither a JWT secret nor a JWKS file is given");
}

bool
jwt_keys_new(const struct jwt_key_source *from, struct jwt_keys **ret, struct err *err)
{
    struct jwt_keys *keys = xcalloc(1, sizeof(*keys));

    keys->cache = jwt_cache_new();
    if (!fill(from, keys, err)) {
        jwt_keys_free(keys);
        return false;
    }
    *ret = keys;
    return true;
}

void
jwt_keys_free(struct jwt_keys *keys)
{
    if (keys == NULL)
        return;
    jwt_key_release(&keys->secret);
    jwt_key_list_release(&keys->list);
    jwt_cache_free(keys->cache);
    free(keys->path);
    free(keys);
}

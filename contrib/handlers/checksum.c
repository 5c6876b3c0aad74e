/*
 * checksum: an example of a module.  Its functions md5, sha1, sha256 and sha512 say the
 * checksum of a file, by OpenSSL.
 *
 * Payload, as `pgcrew enqueue KIND --file F` makes it: {"path": "/srv/in/a.pdf"}.
 * Result: {"algorithm": "sha256", "checksum": "9f86...", "size": 52311}.
 * A file that is missing, or a payload that names none, is never tried again.
 *
 * Configuration: `sha256: {module: /usr/libexec/pgcrew/modules/checksum.so}`, or
 * `checksum: {module: ..., function: sha512}`.
 */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <pgcrew/handler.h>

#define PIECE_BYTES (256 * 1024)

/* The path of the payload, in memory of the job; NULL when there is none. */
static const char *
path_of(struct pgcrew_job *job)
{
    json_t *payload = json_loadb(job->payload, job->payload_len, 0, NULL);
    const char *said = json_string_value(json_object_get(payload, "path"));
    char *path = NULL;

    if (said != NULL) {
        path = pgcrew_alloc(job, strlen(said) + 1);
        strcpy(path, said);
    }
    json_decref(payload);
    return path;
}

static double
percent_of(uint64_t done, uint64_t size)
{
    return size > done ? 100. * (double)done / (double)size : 100;
}

/* Feeds the whole file to hash; *ret_size is what was read. */
static enum pgcrew_end
read_all(struct pgcrew_job *job, FILE *file, EVP_MD_CTX *hash, uint64_t *ret_size)
{
    char *piece = pgcrew_alloc(job, PIECE_BYTES);
    struct stat st = {.st_size = 0};
    size_t len;

    fstat(fileno(file), &st);
    while ((len = fread(piece, 1, PIECE_BYTES, file)) > 0) {
        if (pgcrew_cancelled(job))
            return PGCREW_FAILED;
        EVP_DigestUpdate(hash, piece, len);
        *ret_size += len;
        pgcrew_progress(job, percent_of(*ret_size, (uint64_t)st.st_size), NULL);
    }
    return ferror(file) ? pgcrew_error(job, PGCREW_FAILED, strerror(errno)) : PGCREW_DONE;
}

static enum pgcrew_end
answer(struct pgcrew_job *job, const char *algorithm, EVP_MD_CTX *hash, uint64_t size)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1], text[2 * EVP_MAX_MD_SIZE + 100];
    unsigned len = 0;
    int written;

    EVP_DigestFinal_ex(hash, sum, &len);
    for (unsigned i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    written = snprintf(text, sizeof(text),
                       "{\"algorithm\": \"%s\", \"checksum\": \"%s\", \"size\": %llu}", algorithm,
                       hex, (unsigned long long)size);
    return pgcrew_result(job, text, (size_t)written);
}

static enum pgcrew_end
checksum(struct pgcrew_job *job, const char *algorithm)
{
    const char *path = path_of(job);
    EVP_MD_CTX *hash;
    enum pgcrew_end end;
    uint64_t size = 0;
    FILE *file;

    if (path == NULL)
        return pgcrew_error(job, PGCREW_NEVER, "the payload has no \"path\"");
    file = fopen(path, "re");
    if (file == NULL)
        return pgcrew_error(job, errno == ENOENT ? PGCREW_NEVER : PGCREW_FAILED, strerror(errno));
    hash = EVP_MD_CTX_new();
    EVP_DigestInit_ex(hash, EVP_get_digestbyname(algorithm), NULL);
    end = read_all(job, file, hash, &size);
    if (end == PGCREW_DONE)
        end = answer(job, algorithm, hash, size);
    EVP_MD_CTX_free(hash);
    fclose(file);
    return end;
}

static enum pgcrew_end
md5(struct pgcrew_job *job)
{
    return checksum(job, "md5");
}

static enum pgcrew_end
sha1(struct pgcrew_job *job)
{
    return checksum(job, "sha1");
}

static enum pgcrew_end
sha256(struct pgcrew_job *job)
{
    return checksum(job, "sha256");
}

static enum pgcrew_end
sha512(struct pgcrew_job *job)
{
    return checksum(job, "sha512");
}

static const struct pgcrew_function functions[] = {
    {"md5", md5}, {"sha1", sha1}, {"sha256", sha256}, {"sha512", sha512}, {NULL, NULL},
};

PGCREW_MODULE(.name = "checksum " PACKAGE_VERSION, .functions = functions);

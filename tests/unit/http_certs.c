#include "http_certs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY 86400L

struct made {
    X509 *cert;
    EVP_PKEY *key;
};

static void
check(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "http_certs: %s failed\n", what);
    exit(1);
}

static void
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    check(extension != NULL && X509_add_ext(cert, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

/* Signed by `by`, or by itself when that is NULL; names: "DNS:localhost" */
static struct made
make(const char *name, const struct made *by, const char *names, long from_s, long until_s)
{
    static long serial = 1;
    struct made m = {.cert = X509_new(), .key = EVP_EC_gen("P-256")};
    X509_NAME *subject = X509_get_subject_name(m.cert);
    X509 *issuer = by != NULL ? by->cert : m.cert;

    check(m.key != NULL, "a key");
    X509_set_version(m.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(m.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(m.cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(m.cert), until_s);
    X509_set_pubkey(m.cert, m.key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(m.cert, X509_get_subject_name(issuer));
    add_extension(m.cert, issuer, NID_basic_constraints,
                  by == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    if (names != NULL)
        add_extension(m.cert, issuer, NID_subject_alt_name, names);
    check(X509_sign(m.cert, by != NULL ? by->key : m.key, EVP_sha256()), "signing");
    return m;
}

static void
save(const struct made *m, const char *folder, const char *name)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "we");
    check(f != NULL && PEM_write_X509(f, m->cert) == 1 &&
              PEM_write_PrivateKey(f, m->key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0,
          path);
}

static void
save_and_free(struct made m, const char *folder, const char *name)
{
    save(&m, folder, name);
    X509_free(m.cert);
    EVP_PKEY_free(m.key);
}

bool
make_certs(const char *folder)
{
    const char *here = "DNS:localhost,IP:127.0.0.1";
    struct made ca = make("pgcrew test authority", NULL, NULL, -DAY, DAY);
    struct made stranger = make("pgcrew test stranger", NULL, NULL, -DAY, DAY);

    save_and_free(make("good", &ca, here, -DAY, DAY), folder, "good.pem");
    save_and_free(make("expired", &ca, here, -2 * DAY, -DAY), folder, "expired.pem");
    save_and_free(make("wrong", &ca, "DNS:elsewhere.test", -DAY, DAY), folder, "wrong.pem");
    save_and_free(make("other", &stranger, here, -DAY, DAY), folder, "other.pem");
    save_and_free(ca, folder, "ca.pem");
    save_and_free(stranger, folder, "stranger.pem");
    return true;
}

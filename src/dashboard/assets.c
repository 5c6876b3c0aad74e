#include "dashboard/assets.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
};

const struct asset *
asset_find(const char *name)
{
    for (size_t i = 0; i < n_assets; i++) {
        if (strcmp(assets[i].name, name) == 0)
            return &assets[i];
    }
    return NULL;
}

const char *
asset_type(const struct asset *a)
{
    const char *ending = strrchr(a->name, '.');

    for (size_t i = 0; ending != NULL && i < LENGTH(types); i++) {
        if (strcmp(types[i].ending, ending) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

const char *
asset_tag(char ret[ASSET_TAG_SIZE], const struct asset *a)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    size_t at = 0;

    if (EVP_Digest(a->data, a->len, sum, &len, EVP_sha256(), NULL) != 1 || len < 16)
        abort();
    ret[at++] = '"';
    for (int i = 0; i < 16; i++)
        at += (size_t)snprintf(ret + at, ASSET_TAG_SIZE - at, "%02x", sum[i]);
    ret[at++] = '"';
    ret[at] = '\0';
    return ret;
}

/* A proxy that compresses makes W/"..." of it, and that is the same for us. */
bool
asset_is_known(const char *if_none_match, const char *tag)
{
    return if_none_match != NULL &&
           (strcmp(if_none_match, "*") == 0 || strstr(if_none_match, tag) != NULL);
}

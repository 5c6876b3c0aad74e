/* Where a redirect leads.  Two lines: where from, a URL of ours, and the Location. */
#include "fuzz.h"

#include "http/request.h"

#define HOME "https://jobs.example.com/hook"

static bool
starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Nobody is logged in by a redirect, and a request never gets a line more. */
static void
look(const char *from, const char *url, bool is_home)
{
    CURLU *parts = curl_url();
    char *part = NULL;

    must(starts(url, "https://") || (starts(url, "http://") && !starts(from, "https://")));
    for (const char *p = url; *p != '\0'; p++)
        must((unsigned char)*p > 0x1f && *p != 0x7f);
    must(curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK);
    must(curl_url_get(parts, CURLUPART_USER, &part, 0) != CURLUE_OK);
    must(curl_url_get(parts, CURLUPART_PASSWORD, &part, 0) != CURLUE_OK);
    must(curl_url_get(parts, CURLUPART_HOST, &part, 0) == CURLUE_OK);
    must(!is_home || (strcasecmp(part, "jobs.example.com") == 0 && starts(url, "https://")));
    curl_free(part);
    curl_url_cleanup(parts);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    const char *url = NULL, *why = NULL;
    char *from = take_line(&in), *location = take_line(&in);
    struct arena a;
    bool is_home = false;
    struct err err;

    must(http_library_open(&err));
    arena_init(&a);
    /* Ours is a URL of the configuration or one that was followed: in lower case. */
    if (!starts(from, "https://") && !starts(from, "http://"))
        ;
    else if (http_request_redirect(HOME, from, location, &a, &url, &is_home, &why))
        look(from, url, is_home);
    else
        must(why != NULL && is_clean(why));
    arena_release(&a);
    free(from);
    free(location);
}

#define HTTP_LIBRARY_NAMES
#include "http/library.h"

#include <dlfcn.h>
#include <string.h>

#define FILE_NAME "libcurl.so.4"

struct http_library http_library;

/* A pointer to a function is copied as bytes: ISO C knows no way from one to data. */
static bool
find(void *handle, const char *name, void *ret_function, size_t size)
{
    void *symbol = dlsym(handle, name);

    memcpy(ret_function, &symbol, size);
    return symbol != NULL;
}

static bool
find_all(void *handle, struct http_library *ret)
{
    bool all = true;

#define FIND(name) all = find(handle, #name, &ret->name, sizeof(ret->name)) && all;
    HTTP_LIBRARY(FIND)
    return all;
}

bool
http_library_open(struct err *err)
{
    static bool is_open;
    void *handle;

    if (is_open)
        return true;
    handle = dlopen(FILE_NAME, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return err_set(err, ERR_CONFIG, "'http' handlers need libcurl, install libcurl4: %s",
                       dlerror());
    if (!find_all(handle, &http_library))
        return err_set(err, ERR_CONFIG,
                       "'http' handlers need a newer libcurl than " FILE_NAME " of this host");
    if (http_library.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_CONFIG, "libcurl cannot be set up");
    is_open = true;
    return true;
}

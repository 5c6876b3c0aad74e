/*
 * libcurl, opened by the processes that send requests.
 *
 * Linked, it would bring some forty libraries into every process of the daemon, and
 * each fork of a guard would copy what maps them.  Files of this room include this
 * header, not <curl/curl.h>; the names are those of libcurl.
 */
#ifndef PGCREW_HTTP_LIBRARY_H
#define PGCREW_HTTP_LIBRARY_H

/* Its checks of types take the functions' names for more than names. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/err.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define HTTP_LIBRARY(X)                                                                            \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_strerror)                                                                          \
    X(curl_free)                                                                                   \
    X(curl_getdate)                                                                                \
    X(curl_global_init)                                                                            \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_assign)                                                                           \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_init)                                                                             \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_setopt)                                                                           \
    X(curl_multi_socket_action)                                                                    \
    X(curl_multi_strerror)                                                                         \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_url)                                                                                    \
    X(curl_url_cleanup)                                                                            \
    X(curl_url_get)                                                                                \
    X(curl_url_set)

#define HTTP_LIBRARY_POINTER(name) __typeof__(name) *name;
extern struct http_library {
    HTTP_LIBRARY(HTTP_LIBRARY_POINTER)
} http_library;

/* Once; then it does nothing.  ERR_CONFIG: the library is missing or too old. */
bool http_library_open(struct err *err) MUST_CHECK;

/* library.c itself needs their names. */
#ifndef HTTP_LIBRARY_NAMES
#define curl_easy_cleanup http_library.curl_easy_cleanup
#define curl_easy_getinfo http_library.curl_easy_getinfo
#define curl_easy_init http_library.curl_easy_init
#define curl_easy_setopt http_library.curl_easy_setopt
#define curl_easy_strerror http_library.curl_easy_strerror
#define curl_free http_library.curl_free
#define curl_getdate http_library.curl_getdate
#define curl_global_init http_library.curl_global_init
#define curl_multi_add_handle http_library.curl_multi_add_handle
#define curl_multi_assign http_library.curl_multi_assign
#define curl_multi_info_read http_library.curl_multi_info_read
#define curl_multi_init http_library.curl_multi_init
#define curl_multi_remove_handle http_library.curl_multi_remove_handle
#define curl_multi_setopt http_library.curl_multi_setopt
#define curl_multi_socket_action http_library.curl_multi_socket_action
#define curl_multi_strerror http_library.curl_multi_strerror
#define curl_slist_append http_library.curl_slist_append
#define curl_slist_free_all http_library.curl_slist_free_all
#define curl_url http_library.curl_url
#define curl_url_cleanup http_library.curl_url_cleanup
#define curl_url_get http_library.curl_url_get
#define curl_url_set http_library.curl_url_set
#endif

#endif

/* What a server of the control socket that a test has made up answers to. */
#ifndef PGCREW_TESTS_CTL_CALLS_H
#define PGCREW_TESTS_CTL_CALLS_H

#include <string.h>

#include "ipc/ctl.h"

static bool
call_twice(void *owner, const msgpack_object_array *params, msgpack_packer *ret, struct err *err)
{
    int64_t n = params->size > 0 ? rpc_int(&params->ptr[0], -1) : -1;

    (void)owner;
    if (n < 0)
        return err_set(err, ERR_PERMANENT, "twice what?");
    msgpack_pack_int64(ret, 2 * n);
    return true;
}

static bool
call_big(void *owner, const msgpack_object_array *params, msgpack_packer *ret, struct err *err)
{
    static char text[4 << 20];

    (void)owner, (void)params, (void)err;
    memset(text, 'x', sizeof(text));
    msgpack_pack_str_with_body(ret, text, sizeof(text));
    return true;
}

#endif

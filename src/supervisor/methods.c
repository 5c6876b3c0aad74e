#include "supervisor/methods.h"

#include "base/log.h"
#include "supervisor/internal.h"

typedef const msgpack_object_array params_t;

static int64_t
first_int(params_t *params, int64_t fallback)
{
    return params->size > 0 ? rpc_int(&params->ptr[0], fallback) : fallback;
}

static bool
do_ping(void *owner, UNUSED params_t *params, msgpack_packer *ret, UNUSED struct err *err)
{
    report_ping(owner, ret);
    return true;
}

static bool
do_stats(void *owner, UNUSED params_t *params, msgpack_packer *ret, UNUSED struct err *err)
{
    report_stats(owner, ret);
    return true;
}

static bool
do_workers(void *owner, UNUSED params_t *params, msgpack_packer *ret, UNUSED struct err *err)
{
    report_workers(owner, ret);
    return true;
}

static bool
do_children(void *owner, UNUSED params_t *params, msgpack_packer *ret, UNUSED struct err *err)
{
    report_children(owner, ret);
    return true;
}

static bool
do_scale(void *owner, params_t *params, msgpack_packer *ret, struct err *err)
{
    struct supervisor *sup = owner;
    int64_t workers = first_int(params, -1);

    if (workers < 0 || workers > WORKERS_MAX)
        return err_set(err, ERR_PERMANENT, "'scale' takes a number of workers from 0 to %d",
                       WORKERS_MAX);
    if (!scale_to(sup, (int)workers, err))
        return false;
    log_info("%d workers from now on, by the control socket", (int)workers);
    msgpack_pack_map(ret, 1);
    rpc_key_int(ret, "workers", workers);
    return true;
}

static bool
do_reload(void *owner, UNUSED params_t *params, msgpack_packer *ret, struct err *err)
{
    struct supervisor *sup = owner;
    AUTO(buf) struct buf changed = {0};

    if (!reload(sup, &changed, err)) {
        log_error("reload: %s; everything stays as it is", err->text);
        return false;
    }
    msgpack_pack_map(ret, 2);
    rpc_key_uint(ret, "generation", sup->generation);
    rpc_key_text(ret, "changed", buf_text(&changed));
    return true;
}

static void
pack_state(const struct supervisor *sup, msgpack_packer *ret)
{
    msgpack_pack_map(ret, 1);
    rpc_key_text(ret, "state", ending_name(sup));
}

static bool
do_drain(void *owner, UNUSED params_t *params, msgpack_packer *ret, UNUSED struct err *err)
{
    ending_drain(owner, false);
    pack_state(owner, ret);
    return true;
}

static bool
do_stop(void *owner, params_t *params, msgpack_packer *ret, UNUSED struct err *err)
{
    if (first_int(params, 0) != 0)
        ending_stop(owner);
    else
        ending_drain(owner, true);
    pack_state(owner, ret);
    return true;
}

/* Adding a method?  Say what it answers in methods.h and pgcrewd.8. */
/* clang-format off */
const struct ctl_method supervisor_methods[] = {
    /* name    changes  params */
    {"ping",     false, 0, do_ping},
    {"stats",    false, 0, do_stats},
    {"workers",  false, 0, do_workers},
    {"children", false, 0, do_children},
    {"scale",    true,  1, do_scale},
    {"reload",   true,  0, do_reload},
    {"drain",    true,  0, do_drain},
    {"stop",     true,  1, do_stop},
};
/* clang-format on */
const size_t n_supervisor_methods = LENGTH(supervisor_methods);

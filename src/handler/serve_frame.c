/*
 * What a program says.
 */
#include "handler/serve_frame.h"

#include <math.h>
#include <string.h>

#include "base/pack.h"

/* The longest wait that a program may ask for. */
#define WAIT_MAX_MS ((int64_t)30 * 24 * 3600 * 1000)

/* --- cutting ------------------------------------------------------------------------------- */

enum serve_cut
serve_cut(const char *data, size_t len, size_t max_body, size_t *ret_body)
{
    size_t body = 0;

    if (len < SERVE_HEAD)
        return SERVE_MORE;
    for (size_t i = 0; i < SERVE_HEAD; i++)
        body = body << 8 | (unsigned char)data[i];
    if (body > 0 && body <= max_body && len - SERVE_HEAD < body)
        return SERVE_MORE;
    *ret_body = body;
    return body > 0 && body <= max_body ? SERVE_WHOLE : SERVE_BAD;
}

/* --- reading ------------------------------------------------------------------------------- */

/* A frame that is being read: the elements that are left of its array. */
struct reading {
    struct pack_reader at;
    uint64_t left;
    const char *type;
    struct err *err;
};

static bool
broken(struct reading *r, enum pack_found found)
{
    const char *why = found == PACK_MORE ? "it ends within a value" : "it is not msgpack";

    return r->type != NULL ? err_set(r->err, ERR_PERMANENT, "frame '%s': %s", r->type, why)
                           : err_set(r->err, ERR_PERMANENT, "a frame: %s", why);
}

static bool
wrong(struct reading *r, const char *what)
{
    return err_set(r->err, ERR_PERMANENT, "frame '%s': %s", r->type, what);
}

static bool
next(struct reading *r, struct pack_value *ret)
{
    enum pack_found found = pack_next(&r->at, ret);

    return found == PACK_WHOLE || broken(r, found);
}

static bool
skip(struct reading *r, uint64_t n)
{
    enum pack_found found = pack_skip(&r->at, n);

    return found == PACK_WHOLE || broken(r, found);
}

/* The next element of the frame's own array; what says what is missing without it. */
static bool
element(struct reading *r, const char *what, struct pack_value *ret)
{
    if (r->left == 0)
        return wrong(r, what);
    r->left--;
    return next(r, ret);
}

static bool
is_text_or_nil(const struct pack_value *v)
{
    return v->type == PACK_TEXT || v->type == PACK_NIL;
}

static struct serve_text
text_of(const struct pack_value *v)
{
    return (struct serve_text){v->type == PACK_TEXT ? v->text : NULL, v->len};
}

static bool
read_job(struct reading *r, bool may_be_nil, struct serve_frame *ret)
{
    static const char what[] = "its second element must be the number of a job";
    struct pack_value v;

    if (!element(r, what, &v))
        return false;
    ret->job = -1;
    if (v.type == PACK_NIL && may_be_nil)
        return true;
    if (v.type != PACK_INT || v.number < 0)
        return wrong(r, what);
    ret->job = v.number;
    return true;
}

/* --- the pairs of a map: what is not known is passed over ------------------------------------ */

struct key {
    const char *name;
    bool (*take)(const struct pack_value *v, struct serve_frame *ret);
    const char *what; /* when take() says no */
};

static bool
read_pair(struct reading *r, const struct key *keys, struct serve_frame *ret)
{
    struct pack_value name, v;
    struct pack_reader value;

    if (!next(r, &name))
        return false;
    /* The key of a later version may be anything. */
    if ((name.type == PACK_ARRAY && !skip(r, name.n)) ||
        (name.type == PACK_MAP && !skip(r, 2 * name.n)))
        return false;
    value = r->at;
    if (!skip(r, 1))
        return false;
    for (const struct key *k = keys; k->name != NULL; k++) {
        if (pack_is(&name, k->name))
            return (pack_next(&value, &v) == PACK_WHOLE && k->take(&v, ret)) || wrong(r, k->what);
    }
    return true;
}

static bool
read_map(struct reading *r, const char *what, const struct key *keys, struct serve_frame *ret)
{
    struct pack_value map;

    if (!element(r, what, &map))
        return false;
    if (map.type != PACK_MAP)
        return wrong(r, what);
    for (uint64_t i = 0; i < map.n; i++) {
        if (!read_pair(r, keys, ret))
            return false;
    }
    return true;
}

/* --- hello ----------------------------------------------------------------------------------- */

static bool
take_version(const struct pack_value *v, struct serve_frame *ret)
{
    ret->version = v->number;
    return v->type == PACK_INT && v->number >= 0;
}

static bool
take_text(const struct pack_value *v, struct serve_frame *ret)
{
    ret->text = text_of(v);
    return is_text_or_nil(v);
}

static bool
take_in_flight(const struct pack_value *v, struct serve_frame *ret)
{
    ret->in_flight = v->number;
    return v->type == PACK_INT && v->number > 0;
}

static bool
take_heartbeat(const struct pack_value *v, struct serve_frame *ret)
{
    ret->heartbeat = v->number != 0;
    return v->type == PACK_BOOL;
}

static bool
read_hello(struct reading *r, struct serve_frame *ret)
{
    static const struct key keys[] = {
        {"version", take_version, "'version' must be a number"},
        {"name", take_text, "'name' must be text"},
        {"in_flight", take_in_flight, "'in_flight' must be a number from 1"},
        {"heartbeat", take_heartbeat, "'heartbeat' must be true or false"},
        {.name = NULL},
    };

    ret->version = -1;
    ret->in_flight = 1;
    if (!read_map(r, "its second element must be a map", keys, ret))
        return false;
    if (ret->version < 0)
        return wrong(r, "it has no 'version'");
    if (ret->version != SERVE_VERSION)
        return err_set(r->err, ERR_PERMANENT,
                       "frame 'hello': version %lld is not spoken here, only %d",
                       (long long)ret->version, SERVE_VERSION);
    return true;
}

/* --- about jobs ------------------------------------------------------------------------------ */

static float
percent_of(const struct pack_value *v)
{
    if (v->type == PACK_NIL || isnan(v->real))
        return -1;
    if (v->real < 0)
        return 0;
    return v->real > 100 ? 100 : (float)v->real;
}

static bool
read_progress(struct reading *r, struct serve_frame *ret)
{
    static const char what[] =
        "a percentage (a number or nil) and a note (text or nil) must follow";
    struct pack_value percent, note;

    if (!read_job(r, false, ret) || !element(r, what, &percent))
        return false;
    if (percent.type != PACK_NIL && percent.type != PACK_INT && percent.type != PACK_REAL)
        return wrong(r, what);
    ret->percent = percent_of(&percent);
    if (r->left == 0)
        return true;
    if (!element(r, what, &note))
        return false;
    ret->text = text_of(&note);
    return is_text_or_nil(&note) || wrong(r, what);
}

static bool
read_log(struct reading *r, struct serve_frame *ret)
{
    static const char what[] = "its third element must be text";
    struct pack_value line;

    if (!read_job(r, true, ret) || !element(r, what, &line))
        return false;
    ret->text = text_of(&line);
    return line.type == PACK_TEXT || wrong(r, what);
}

static bool
read_heartbeat(struct reading *r, struct serve_frame *ret)
{
    static const char what[] = "its second element must be a number";
    struct pack_value number;

    if (!element(r, what, &number))
        return false;
    ret->number = number.number;
    return number.type == PACK_INT || wrong(r, what);
}

static bool
read_result(struct reading *r, struct serve_frame *ret)
{
    static const char what[] = "its third element must be text or nil";
    struct pack_value result;

    if (!read_job(r, false, ret))
        return false;
    if (r->left == 0)
        return true;
    if (!element(r, what, &result))
        return false;
    ret->text = text_of(&result);
    return is_text_or_nil(&result) || wrong(r, what);
}

static bool
take_again(const struct pack_value *v, struct serve_frame *ret)
{
    static const char *const names[] = {
        [SERVE_RETRY] = "retry", [SERVE_NEVER] = "never", [SERVE_SNOOZE] = "snooze"};

    for (size_t i = 0; i < LENGTH(names); i++) {
        if (pack_is(v, names[i])) {
            ret->again = (enum serve_again)i;
            return true;
        }
    }
    return v->type == PACK_NIL;
}

static bool
take_wait(const struct pack_value *v, struct serve_frame *ret)
{
    if (v->type == PACK_NIL)
        return true;
    if ((v->type != PACK_INT && v->type != PACK_REAL) || !(v->real >= 0))
        return false;
    ret->wait_ms = v->real < (double)WAIT_MAX_MS ? (int64_t)v->real : WAIT_MAX_MS;
    return true;
}

static bool
read_failure(struct reading *r, struct serve_frame *ret)
{
    static const struct key keys[] = {
        {"error", take_text, "'error' must be text"},
        {"again", take_again, "'again' must be \"retry\", \"never\" or \"snooze\""},
        {"wait_ms", take_wait, "'wait_ms' must be a number from 0"},
        {.name = NULL},
    };

    return read_job(r, false, ret) && read_map(r, "its third element must be a map", keys, ret);
}

/* --- all of them ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*read)(struct reading *r, struct serve_frame *ret);
} types[] = {
    [SERVE_HELLO] = {"hello", read_hello},    [SERVE_PROGRESS] = {"progress", read_progress},
    [SERVE_LOG] = {"log", read_log},          [SERVE_HEARTBEAT] = {"heartbeat", read_heartbeat},
    [SERVE_RESULT] = {"result", read_result}, [SERVE_FAILURE] = {"failure", read_failure},
};

static bool
read_type(struct reading *r, struct serve_frame *ret)
{
    struct pack_value array, name;

    if (!next(r, &array))
        return false;
    if (array.type != PACK_ARRAY)
        return err_set(r->err, ERR_PERMANENT, "a frame is no array");
    if (array.n == 0)
        return err_set(r->err, ERR_PERMANENT, "a frame is empty");
    if (!next(r, &name))
        return false;
    if (name.type != PACK_TEXT)
        return err_set(r->err, ERR_PERMANENT, "a frame does not begin with its type, a text");
    r->left = array.n - 1;
    for (size_t i = 0; i < LENGTH(types); i++) {
        if (pack_is(&name, types[i].name)) {
            ret->type = (enum serve_type)i;
            r->type = types[i].name;
            return true;
        }
    }
    return err_set(r->err, ERR_PERMANENT, "a frame has the unknown type '%.*s'",
                   (int)(name.len < 40 ? name.len : 40), name.text);
}

bool
serve_read(const char *body, size_t len, struct serve_frame *ret, struct err *err)
{
    struct reading r = {.at = {body, body + len}, .err = err};

    *ret = (struct serve_frame){.job = -1, .percent = -1, .wait_ms = -1};
    if (!read_type(&r, ret) || !types[ret->type].read(&r, ret))
        return false;
    /* Elements of a later version. */
    if (!skip(&r, r.left))
        return false;
    return r.at.at == r.at.end || wrong(&r, "more than one value is in it");
}

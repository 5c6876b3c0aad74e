#include "gateway/rest_columns.h"

#include <string.h>

/* clang-format off */
static const struct rest_type
    bigint   = {"bigint",      "::bigint",      "::text[]::bigint[]",      false},
    smallint = {"smallint",    "::smallint",    "::text[]::smallint[]",    false},
    real     = {"real",        "::real",        "::text[]::real[]",        false},
    text     = {"text",        "::text",        "::text[]",                true},
    uuid     = {"uuid",        "::uuid",        "::text[]::uuid[]",        false},
    moment   = {"timestamptz", "::timestamptz", "::text[]::timestamptz[]", false},
    json     = {"jsonb",       NULL,            NULL,                      false};

/* In the order of the table, which is that of select=*. */
const struct rest_column rest_columns[] = {
    {"id",            "j.id",            &bigint},
    {"batch_id",      "j.batch_id",      &uuid},
    {"user_id",       "j.user_id",       &uuid},
    {"queue",         "j.queue",         &text},
    {"kind",          "j.kind",          &text},
    {"payload",       "j.payload",       &json},
    {"status",        "j.status",        &text},
    {"priority",      "j.priority",      &smallint},
    {"progress",      "j.progress",      &real},
    {"progress_note", "j.progress_note", &text},
    {"result",        "j.result",        &json},
    {"error",         "j.error",         &text},
    {"attempts",      "j.attempts",      &smallint},
    {"max_attempts",  "j.max_attempts",  &smallint},
    {"unique_key",    "j.unique_key",    &text},
    {"run_at",        "j.run_at",        &moment},
    {"created_at",    "j.created_at",    &moment},
    {"started_at",    "j.started_at",    &moment},
    {"finished_at",   "j.finished_at",   &moment},
};
const size_t rest_columns_count = LENGTH(rest_columns);

const struct rest_operator rest_operators[] = {
    {"eq",         " = ",                REST_TAKES_VALUE},
    {"neq",        " <> ",               REST_TAKES_VALUE},
    {"gt",         " > ",                REST_TAKES_VALUE},
    {"gte",        " >= ",               REST_TAKES_VALUE},
    {"lt",         " < ",                REST_TAKES_VALUE},
    {"lte",        " <= ",               REST_TAKES_VALUE},
    {"isdistinct", " is distinct from ", REST_TAKES_VALUE},
    {"like",       " like ",             REST_TAKES_PATTERN},
    {"ilike",      " ilike ",            REST_TAKES_PATTERN},
    {"in",         " = any (",           REST_TAKES_LIST},
    {"is",         " is ",               REST_TAKES_WORD},
};
const size_t rest_operators_count = LENGTH(rest_operators);
/* clang-format on */

const struct rest_column *
rest_column_find(const char *name)
{
    for (size_t i = 0; i < LENGTH(rest_columns); i++) {
        if (strcmp(rest_columns[i].name, name) == 0)
            return &rest_columns[i];
    }
    return NULL;
}

const struct rest_operator *
rest_operator_find(const char *name, size_t len)
{
    for (size_t i = 0; i < LENGTH(rest_operators); i++) {
        if (strlen(rest_operators[i].name) == len && memcmp(rest_operators[i].name, name, len) == 0)
            return &rest_operators[i];
    }
    return NULL;
}

#include "cli/out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "base/text.h"
#include "cli/values.h"
#include "cli/when.h"

/* jansson leaves DEL and the C1 controls as they are, and terminals obey those. */
static void
put_json(const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i], next = (unsigned char)text[i + 1];

        if (c == 0x7f)
            fputs("\\u007f", stdout);
        else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
            printf("\\u%04x", (unsigned char)text[++i]);
        else
            putchar(c);
    }
}

void
out_json(struct cli *cli, json_t *doc)
{
    AUTO(mem) char *text = json_dumps(doc, JSON_INDENT(2) | JSON_ENCODE_ANY);

    if (text != NULL)
        put_json(text);
    putchar('\n');
    json_decref(doc);
    cli->has_printed = true;
}

/* --- colours ------------------------------------------------------------------------ */

const char *
out_colour(const struct cli *cli, enum out_colour colour)
{
    static const char *const sequences[] = {
        [OUT_PLAIN] = "\033[0m", [OUT_BOLD] = "\033[1m",   [OUT_DIM] = "\033[2m",
        [OUT_RED] = "\033[31m",  [OUT_GREEN] = "\033[32m", [OUT_YELLOW] = "\033[33m",
        [OUT_BLUE] = "\033[34m",
    };

    return cli->colour ? sequences[colour] : "";
}

enum out_colour
out_status_colour(const char *status)
{
    static const struct {
        const char *status;
        enum out_colour colour;
    } colours[] = {
        {"succeeded", OUT_GREEN}, {"ok", OUT_GREEN},      {"failed", OUT_RED},
        {"error", OUT_RED},       {"held", OUT_RED},      {"cancelled", OUT_YELLOW},
        {"warn", OUT_YELLOW},     {"lost", OUT_RED},      {"running", OUT_BLUE},
        {"stalled", OUT_RED},     {"busy", OUT_BLUE},     {"draining", OUT_YELLOW},
        {"pending", OUT_YELLOW},  {"paused", OUT_YELLOW},
    };

    for (size_t i = 0; i < LENGTH(colours); i++) {
        if (strcmp(colours[i].status, status) == 0)
            return colours[i].colour;
    }
    return OUT_PLAIN;
}

/* --- texts -------------------------------------------------------------------------- */

/* Bytes of the character at text and the places it takes; broken bytes take one. */
static size_t
next_char(const char *text, size_t len, size_t *ret_places)
{
    mbstate_t state = {0};
    wchar_t wide;
    size_t n = mbrtowc(&wide, text, len, &state);
    int places;

    if (n == 0 || n > len) {
        *ret_places = 1;
        return 1;
    }
    places = wcwidth(wide);
    *ret_places = places < 0 ? 1 : (size_t)places;
    return n;
}

size_t
out_width(const char *text)
{
    size_t width = 0, len = strlen(text), places;

    for (size_t i = 0; i < len; width += places)
        i += next_char(text + i, len - i, &places);
    return width;
}

/* Cut a text that takes more than max places, and say so with dots. */
static void
cut(struct buf *text, size_t max)
{
    size_t width = 0, at = 0, places;

    if (max < 4 || out_width(buf_text(text)) <= max)
        return;
    while (at < text->len) {
        size_t n = next_char(text->data + at, text->len - at, &places);

        if (width + places > max - 3)
            break;
        width += places;
        at += n;
    }
    text->len = at;
    buf_add_text(text, "...");
}

static void
add_printable(struct buf *ret, const char *text, size_t len)
{
    size_t room = len * 4 + 1;
    char *at = buf_reserve(ret, room);

    text_printable(at, room, text, len);
    ret->len += strlen(at);
}

void
out_printable(FILE *to, const char *text, bool lines)
{
    AUTO(buf) struct buf clean = {0};
    size_t len;

    for (; *text != '\0'; text += len) {
        len = lines ? strcspn(text, "\n") : strlen(text);
        add_printable(&clean, text, len);
        if (lines && text[len] == '\n') {
            buf_add_text(&clean, "\n");
            len++;
        }
    }
    fputs(buf_text(&clean), to);
}

void
out_note(const char *text)
{
    fflush(stdout);
    fputs("pgcrew: ", stderr);
    out_printable(stderr, text, false);
    fputc('\n', stderr);
}

static void
add_list(struct buf *ret, const json_t *list)
{
    size_t i;
    json_t *item;

    if (json_array_size(list) == 0)
        buf_add_text(ret, json_is_array(list) ? "-" : "any");
    json_array_foreach(list, i, item)
    {
        if (i > 0)
            buf_add_text(ret, ",");
        out_value(ret, item, COLUMN_TEXT);
    }
}

static void
add_time(struct buf *ret, const char *utc)
{
    char local[WHEN_TEXT_SIZE];

    if (when_show_local(utc, local))
        buf_add_text(ret, local);
    else
        add_printable(ret, utc, strlen(utc));
}

/* What is too much for a number of ours is as much as there is. */
static int64_t
ms_of(const json_t *value)
{
    double ms = json_number_value(value);

    return ms > -9e18 ? (ms < 9e18 ? (int64_t)ms : INT64_MAX) : INT64_MIN;
}

void
out_value(struct buf *ret, const json_t *value, enum column_kind kind)
{
    AUTO(mem) char *json = NULL;
    char number[32];

    if (kind == COLUMN_LIST)
        add_list(ret, value);
    else if (value == NULL || json_is_null(value))
        buf_add_text(ret, "-");
    else if (kind == COLUMN_TIME && json_is_string(value))
        add_time(ret, json_string_value(value));
    else if (json_is_string(value))
        add_printable(ret, json_string_value(value), json_string_length(value));
    else if (kind == COLUMN_MS && json_is_number(value))
        buf_add_text(ret, text_ago(number, ms_of(value)));
    else if (kind == COLUMN_BYTES && json_is_integer(value))
        buf_printf(ret, "%.1f MiB", (double)json_integer_value(value) / (1 << 20));
    else if (json_is_real(value))
        buf_printf(ret, "%.1f", json_real_value(value));
    else {
        json = json_dumps(value, JSON_ENCODE_ANY);
        add_printable(ret, json, strlen(json));
    }
}

/* --- tables ------------------------------------------------------------------------- */

struct table {
    const struct cli *cli;
    const struct column *columns;
    size_t n_columns, n_rows;
    char **cells; /* n_rows * n_columns */
    size_t *widths;
};

static bool
is_right(enum column_kind kind)
{
    return kind == COLUMN_NUMBER || kind == COLUMN_MS || kind == COLUMN_BYTES;
}

static void
table_fill(struct table *t, const json_t *rows, struct arena *a)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        const struct column *column = &t->columns[c];

        t->widths[c] = strlen(column->head);
        for (size_t r = 0; r < t->n_rows; r++) {
            AUTO(buf) struct buf text = {0};
            size_t width;

            out_value(&text, json_object_get(json_array_get(rows, r), column->field), column->kind);
            cut(&text, (size_t)column->max_width);
            width = out_width(buf_text(&text));
            if (width > t->widths[c])
                t->widths[c] = width;
            t->cells[r * t->n_columns + c] = arena_strdup(a, buf_text(&text));
        }
    }
}

static void
put_cell(const struct table *t, size_t c, const char *text, enum out_colour colour)
{
    int gap = (int)(t->widths[c] - out_width(text));
    bool right = is_right(t->columns[c].kind), last = c + 1 == t->n_columns;

    printf("%*s%s%s%s%*s%s", right ? gap : 0, "",
           colour != OUT_PLAIN ? out_colour(t->cli, colour) : "", text,
           colour != OUT_PLAIN ? out_colour(t->cli, OUT_PLAIN) : "", right || last ? 0 : gap, "",
           last ? "\n" : "  ");
}

static void
table_print(const struct table *t)
{
    for (size_t c = 0; c < t->n_columns; c++)
        put_cell(t, c, t->columns[c].head, OUT_BOLD);
    for (size_t r = 0; r < t->n_rows; r++) {
        for (size_t c = 0; c < t->n_columns; c++) {
            const char *text = t->cells[r * t->n_columns + c];
            bool status = t->columns[c].kind == COLUMN_STATUS;

            put_cell(t, c, text, status ? out_status_colour(text) : OUT_PLAIN);
        }
    }
}

void
out_table(const struct cli *cli, const json_t *rows, const struct column *columns)
{
    struct table t = {.cli = cli, .columns = columns, .n_rows = json_array_size(rows)};
    struct arena a;

    while (columns[t.n_columns].field != NULL)
        t.n_columns++;
    arena_init(&a);
    t.cells = arena_alloc(&a, (t.n_rows * t.n_columns + 1) * sizeof(*t.cells));
    t.widths = arena_alloc(&a, t.n_columns * sizeof(*t.widths));
    table_fill(&t, rows, &a);
    table_print(&t);
    arena_release(&a);
}

void
out_list(struct cli *cli, const char *name, json_t *rows, const struct column *columns)
{
    if (cli->json) {
        out_json(cli, json_pack("{s:o}", name, rows));
        return;
    }
    if (json_array_size(rows) > 0)
        out_table(cli, rows, columns);
    else
        printf("no %s\n", name);
    json_decref(rows);
}

void
out_fields(const struct cli *cli, const json_t *object, const struct column *columns)
{
    size_t widest = 0;

    for (const struct column *c = columns; c->field != NULL; c++) {
        if (value_is_set(object, c->field) && strlen(c->head) > widest)
            widest = strlen(c->head);
    }
    for (const struct column *c = columns; c->field != NULL; c++) {
        AUTO(buf) struct buf text = {0};
        enum out_colour colour = OUT_PLAIN;

        if (!value_is_set(object, c->field))
            continue;
        out_value(&text, json_object_get(object, c->field), c->kind);
        cut(&text, (size_t)c->max_width);
        if (c->kind == COLUMN_STATUS)
            colour = out_status_colour(buf_text(&text));
        printf("%s%s:%s%*s  %s%s%s\n", out_colour(cli, OUT_DIM), c->head,
               out_colour(cli, OUT_PLAIN), (int)(widest - strlen(c->head)), "",
               colour != OUT_PLAIN ? out_colour(cli, colour) : "", buf_text(&text),
               colour != OUT_PLAIN ? out_colour(cli, OUT_PLAIN) : "");
    }
}

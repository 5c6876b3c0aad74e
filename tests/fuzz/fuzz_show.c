/* JSON of a database or a daemon as the tool shows it: nothing in it drives the terminal. */
#include "fuzz.h"

#include <locale.h>

#include "cli/out.h"
#include "cli/progress.h"
#include "cli/values.h"

static void
show(const json_t *value)
{
    for (int kind = COLUMN_TEXT; kind <= COLUMN_LIST; kind++) {
        AUTO(buf) struct buf text = {0};

        out_value(&text, value, (enum column_kind)kind);
        must(is_clean(buf_text(&text)) && strlen(buf_text(&text)) == text.len);
        must(out_width(buf_text(&text)) <= 2 * text.len);
    }
}

static void
bar(const json_t *status)
{
    struct progress_style style = {
        .width = 70, .unicode = true, .good = "", .bad = "", .plain = ""};
    AUTO(buf) struct buf line = {0}, words = {0};
    struct progress_counts c;

    progress_read(status, &c);
    progress_bar(&c, &style, &line);
    must(is_clean(buf_text(&line)) && out_width(buf_text(&line)) <= style.width);
    progress_words(&c, &words);
    must(is_clean(buf_text(&words)));
    must(progress_equal(&c, &c));
}

static void
fuzz(const char *data, size_t len)
{
    struct err err = {0};
    json_t *value;
    const char *key;
    json_t *part;

    must(setlocale(LC_ALL, "C.UTF-8") != NULL);
    if (!value_parse(data, len, &value, &err)) {
        must_say(&err);
        return;
    }
    show(value);
    bar(value);
    json_object_foreach(value, key, part) show(part);
    json_decref(value);
}

#include "metrics/metrics.h"

#include <math.h>
#include <string.h>

#include "metrics/path.h"

#define WHOLE_MAX 9007199254740992.0 /* whole numbers up to here are exact */

/* What is being written. */
struct page {
    const struct metric *metric;
    const json_t *facts;
    struct buf *out;
    bool has_head;
};

/* The text of a label ends at a quote. */
static void
write_escaped(struct buf *out, const char *text, size_t len, bool in_quotes)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            buf_add_text(out, "\\n");
        else if (text[i] == '\\' || (in_quotes && text[i] == '"'))
            buf_printf(out, "\\%c", text[i]);
        else
            buf_add(out, text + i, 1);
    }
}

static void
write_number(struct buf *out, double number)
{
    if (isnan(number))
        buf_add_text(out, "NaN");
    else if (isinf(number))
        buf_add_text(out, number > 0 ? "+Inf" : "-Inf");
    else if (fabs(number) < WHOLE_MAX && !(fabs(number - trunc(number)) > 0))
        buf_printf(out, "%.0f", number);
    else
        buf_printf(out, "%.15g", number);
}

static void
write_head(struct page *p)
{
    static const char *const types[] = {
        [METRIC_GAUGE] = "gauge",
        [METRIC_COUNTER] = "counter",
        [METRIC_HISTOGRAM] = "histogram",
    };
    const struct metric *m = p->metric;

    if (p->has_head)
        return;
    buf_printf(p->out, "# HELP %s ", m->name);
    write_escaped(p->out, m->help, strlen(m->help), false);
    buf_printf(p->out, "\n# TYPE %s %s\n", m->name, types[m->type]);
    p->has_head = true;
}

/* bound: the label "le" of a bucket, NULL: it has none. */
static void
write_sample(struct page *p, const char *suffix, const struct path_label *labels, size_t n,
             const double *bound, double number)
{
    const char *gap = "{";

    buf_printf(p->out, "%s%s", p->metric->name, suffix);
    for (size_t i = 0; i < n; i++) {
        buf_printf(p->out, "%s%.*s=\"", gap, (int)labels[i].name_len, labels[i].name);
        write_escaped(p->out, labels[i].value, labels[i].value_len, true);
        buf_add_text(p->out, "\"");
        gap = ",";
    }
    if (bound != NULL) {
        buf_printf(p->out, "%sle=\"", gap);
        write_number(p->out, *bound);
        buf_add_text(p->out, "\"");
        gap = ",";
    }
    buf_add_text(p->out, gap[0] == ',' ? "} " : " ");
    write_number(p->out, number);
    buf_add_text(p->out, "\n");
}

static void
write_histogram(struct page *p, const struct path_label *labels, size_t n, const json_t *row)
{
    const struct metric *m = p->metric;
    const json_t *counts = json_object_get(row, m->buckets);
    const json_t *bounds =
        json_object_get(json_object_get(json_object_get(p->facts, "daemon"), "bounds"), m->bounds);
    size_t n_bounds = json_array_size(bounds);
    double total = 0;

    if (n_bounds == 0 || json_array_size(counts) != n_bounds + 1)
        return;
    write_head(p);
    for (size_t i = 0; i <= n_bounds; i++) {
        double bound = i < n_bounds ? json_number_value(json_array_get(bounds, i)) * m->scale
                                    : (double)INFINITY;

        total += json_number_value(json_array_get(counts, i));
        write_sample(p, "_bucket", labels, n, &bound, total);
    }
    write_sample(p, "_sum", labels, n, NULL,
                 json_number_value(json_object_get(row, m->sum)) * m->scale);
    write_sample(p, "_count", labels, n, NULL, total);
}

static void
on_value(void *arg, const struct path_label *labels, size_t n, const json_t *value, double number)
{
    struct page *p = arg;

    if (p->metric->type == METRIC_HISTOGRAM) {
        write_histogram(p, labels, n, value);
        return;
    }
    if (isnan(number))
        return;
    write_head(p);
    write_sample(p, "", labels, n, NULL, number * p->metric->scale);
}

void
metrics_write(const json_t *facts, struct buf *ret)
{
    for (size_t i = 0; i < n_metrics; i++) {
        struct page p = {.metric = &metrics[i], .facts = facts, .out = ret};

        path_walk(metrics[i].path, facts, on_value, &p);
    }
}

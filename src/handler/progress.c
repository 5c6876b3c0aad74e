#include "handler/progress.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* By hand: strtod() follows the locale and takes "nan" and "0x2a". */
static const char *
parse_percent(const char *p, float *ret)
{
    double value = 0, place = 1;

    if (*p == '-' && (p[1] == ' ' || p[1] == '\0')) {
        *ret = -1;
        return p + 1;
    }
    if (!isdigit((unsigned char)*p))
        return NULL;
    for (; isdigit((unsigned char)*p); p++)
        value = value * 10 + (*p - '0');
    if (*p == '.') {
        for (p++; isdigit((unsigned char)*p); p++)
            value += (*p - '0') * (place /= 10);
    }
    if (*p == '%')
        p++;
    if (value > 100 || (*p != '\0' && !isspace((unsigned char)*p)))
        return NULL;
    *ret = (float)value;
    return p;
}

void
progress_note(struct progress *p, const char *text, size_t len)
{
    size_t cut = text_utf8_cut(text, len, PROGRESS_NOTE_MAX);

    memcpy(p->note, text, cut);
    p->note[cut] = '\0';
    text_make_storable(p->note, cut);
}

bool
progress_parse(const char *line, size_t len, struct progress *ret)
{
    const char *end = line + len, *p = line;
    float percent;

    while (isspace((unsigned char)*p))
        p++;
    p = parse_percent(p, &percent);
    if (p == NULL)
        return false;
    while (isspace((unsigned char)*p))
        p++;
    while (end > p && isspace((unsigned char)end[-1]))
        end--;
    ret->percent = percent;
    progress_note(ret, p, (size_t)(end - p));
    return true;
}

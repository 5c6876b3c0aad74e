/* Durations, sizes, nearest names, and what may be printed or stored. */
#include <string.h>

#include "base/text.h"
#include "tap.h"

static int64_t
ms(const char *text)
{
    int64_t ret = -1;

    return text_to_ms(text, &ret) ? ret : -1;
}

static int64_t
bytes(const char *text)
{
    int64_t ret = -1;

    return text_to_bytes(text, &ret) ? ret : -1;
}

static const char *
printable(const char *data, size_t len)
{
    static char ret[64];

    text_printable(ret, sizeof(ret), data, len);
    return ret;
}

static const char *
storable(const char *data, size_t len)
{
    static char ret[64];

    memcpy(ret, data, len);
    ret[len] = '\0';
    text_make_storable(ret, len);
    return ret;
}

int
main(void)
{
    char s[32];

    is_int(ms("250ms"), 250, "milliseconds");
    is_int(ms("2s"), 2000, "seconds");
    is_int(ms("10min"), 600000, "minutes");
    is_int(ms("1h"), 3600000, "hours");
    is_int(ms("5 s"), 5000, "a blank before the unit");
    is_int(ms("100"), 100, "a bare number is milliseconds");
    is_int(ms("-1s"), -1, "no negative time");
    is_int(ms("2 sec"), -1, "no unknown unit");
    is_int(ms(""), -1, "no empty text");
    is_int(ms("99999999999999999999s"), -1, "no overflow of the number");
    is_int(ms("9999999999999999d"), -1, "no overflow of the product");
    is_int(bytes("64KiB"), 65536, "KiB");
    is_int(bytes("1GiB"), (int64_t)1 << 30, "GiB");
    is_int(bytes("12kb"), -1, "kb is not said to be either");
    is_str(text_from_ms(s, 2000), "2s", "2000 ms is 2s");
    is_str(text_from_ms(s, 90000), "90s", "90000 ms is 90s");
    is_str(text_from_ms(s, 1500), "1500ms", "1500 ms stays");
    is_str(text_from_bytes(s, 65536), "64KiB", "65536 is 64KiB");
    is_str(text_from_bytes(s, 0), "0", "nothing is 0");
    is_str(text_ago(s, 1400), "1.4 s", "a short time for people");
    is_str(text_ago(s, 7500000), "2 h 5 min", "a long time for people");
    is_int(text_distance("worker.cuont", "worker.count"), 2, "two letters differ");
    is_int(text_distance("", "abc"), 3, "three letters are missing");

    is_str(printable("plain", 5), "plain", "plain text stays");
    is_str(printable("a\nb\x1b[31m", 7), "a\\x0ab\\x1b[31", "control characters are shown");
    is_str(printable("gr\xc3\xbc\xc3\x9f", 6), "gr\xc3\xbc\xc3\x9f", "UTF-8 stays");
    is_str(printable("\xff\xfe", 2), "\\xff\\xfe", "broken UTF-8 is shown");
    is_str(printable("\xc2\x9b", 2), "\\xc2\\x9b", "C1 controls are shown");
    is_str(printable("\xc0\xaf", 2), "\\xc0\\xaf", "overlong forms are broken");
    is_str(printable("\xed\xa0\x80", 3), "\\xed\\xa0\\x80", "surrogates are broken");
    is_str(storable("a\0b", 3), "a?b", "a NUL cannot be stored");
    is_str(storable("\xc3", 1), "?", "half a character cannot be stored");
    is_str(storable("\xf0\x9f\x98\x80", 4), "\xf0\x9f\x98\x80", "a smile can");
    is_int(text_utf8_cut("gr\xc3\xbc\xc3\x9f", 6, 3), 2, "a cut does not split a character");
    is_int(text_utf8_cut("abc", 3, 10), 3, "what fits is not cut");
    {
        char small[6];

        text_printable(small, sizeof(small), "abc\n\n", 5);
        is_str(small, "abc", "a short room cuts whole escapes");
    }
    return done_testing();
}

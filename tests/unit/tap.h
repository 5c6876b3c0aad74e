/*
 * Test Anything Protocol, just enough: a line per promise, a plan at the end.
 *
 * main() ends with `return done_testing();`.  A program that stops earlier has
 * no plan, and tests/run counts it as failed.
 */
#ifndef PGCREW_TESTS_TAP_H
#define PGCREW_TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_run, tap_failed;

__attribute__((format(printf, 4, 5), unused)) static bool
tap_ok(bool passed, const char *file, int line, const char *format, ...)
{
    va_list args;

    printf("%sok %d - ", passed ? "" : "not ", ++tap_run);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    if (!passed) {
        tap_failed++;
        printf("#   failed at %s:%d\n", file, line);
    }
    fflush(stdout);
    return passed;
}

__attribute__((unused)) static void
tap_say(const char *name, const char *text)
{
    printf("# %9s: ", name);
    for (const char *p = text; *p != '\0'; p++) {
        putchar(*p);
        if (*p == '\n' && p[1] != '\0')
            fputs("#            ", stdout);
    }
    putchar('\n');
    fflush(stdout);
}

/* ok(condition, "what is promised", ...) */
#define ok(passed, ...) tap_ok((passed), __FILE__, __LINE__, __VA_ARGS__)

/* is_int(got, expected, "what is promised", ...) */
#define is_int(got, expected, ...)                                                                 \
    do {                                                                                           \
        int64_t tap_got_ = (int64_t)(got), tap_expected_ = (int64_t)(expected);                    \
        if (!ok(tap_got_ == tap_expected_, __VA_ARGS__))                                           \
            printf("#       got: %" PRId64 "\n#  expected: %" PRId64 "\n", tap_got_,               \
                   tap_expected_);                                                                 \
    } while (0)

/* is_str(got, expected, "what is promised", ...); NULL equals only NULL */
#define is_str(got, expected, ...)                                                                 \
    do {                                                                                           \
        const char *tap_got_ = (got), *tap_expected_ = (expected);                                 \
        bool tap_same_ = tap_got_ == NULL || tap_expected_ == NULL                                 \
                             ? tap_got_ == tap_expected_                                           \
                             : strcmp(tap_got_, tap_expected_) == 0;                               \
        if (!ok(tap_same_, __VA_ARGS__)) {                                                         \
            tap_say("got", tap_got_ != NULL ? tap_got_ : "(null)");                                \
            tap_say("expected", tap_expected_ != NULL ? tap_expected_ : "(null)");                 \
        }                                                                                          \
    } while (0)

/* has_str(text, part, "what is promised", ...) */
#define has_str(text, part, ...)                                                                   \
    do {                                                                                           \
        const char *tap_text_ = (text), *tap_part_ = (part);                                       \
        if (!ok(tap_text_ != NULL && strstr(tap_text_, tap_part_) != NULL, __VA_ARGS__)) {         \
            tap_say("got", tap_text_ != NULL ? tap_text_ : "(null)");                              \
            tap_say("should have", tap_part_);                                                     \
        }                                                                                          \
    } while (0)

/* The whole file cannot run here: say why and end main() with `return skip_all(...)`. */
__attribute__((unused)) static int
skip_all(const char *why)
{
    printf("1..0 # SKIP %s\n", why);
    return 0;
}

__attribute__((unused)) static int
done_testing(void)
{
    printf("1..%d\n", tap_run);
    return tap_failed == 0 ? 0 : 1;
}

#endif

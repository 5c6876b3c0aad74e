/*
 * Sessions of operators.  A session is in its cookie, signed with a key made of the secret
 * that opened it: nothing is kept here, it outlives a restart and a reload, and whoever
 * changes the secret ends all that it opened.
 *
 *     1.ID.BEGAN.ENDS.SIGNATURE    32 hex digits, seconds since 1970 twice, 64 hex digits
 */
#ifndef PGCREW_DASHBOARD_PASS_H
#define PGCREW_DASHBOARD_PASS_H

#include "base/base.h"

#define PASS_ID_SIZE 33
#define PASS_TEXT_SIZE 160
#define PASS_CSRF_SIZE 65
#define PASS_LONGEST_S ((int64_t)7 * 24 * 3600) /* however often it is prolonged */

struct pass {
    char id[PASS_ID_SIZE];
    int64_t began_s, ends_s;
};

void pass_begin(struct pass *ret, int64_t now_s, int64_t timeout_s);
/* Once half of its time is over it is prolonged; true: the cookie is to be set again. */
bool pass_prolong(struct pass *s, int64_t now_s, int64_t timeout_s);

const char *pass_write(const struct pass *s, const char *secret, char ret[PASS_TEXT_SIZE]);
/* False: it is no cookie of ours, was signed with another secret, or is over. */
bool pass_read(const char *cookie, const char *secret, int64_t now_s, struct pass *ret) MUST_CHECK;
/* What a page has to say with each action, and another page cannot know. */
const char *pass_csrf(const struct pass *s, const char *secret, char ret[PASS_CSRF_SIZE]);

#endif

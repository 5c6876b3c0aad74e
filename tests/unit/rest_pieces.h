/*
 * Does the SQL of a query consist of constant pieces and numbers only?
 */
#ifndef PGCREW_TESTS_REST_PIECES_H
#define PGCREW_TESTS_REST_PIECES_H

#include <stdlib.h>
#include <string.h>

#include "gateway/rest_sql.h"

/* Numbers are those of $4 and [12]: one or two digits. */
static size_t
digits_at(const char *text)
{
    size_t n = strspn(text, "0123456789");

    return n <= 2 ? n : 0;
}

/* Every place that can be reached from the begin by whole pieces; the end must be one. */
static bool
is_of_pieces(const char *text)
{
    size_t len = strlen(text);
    bool *reached = xcalloc(len + 1, sizeof(*reached)), whole;
    const char *piece;

    reached[0] = true;
    for (size_t i = 0; i < len; i++) {
        if (!reached[i])
            continue;
        reached[i + digits_at(text + i)] = true;
        for (size_t p = 0; (piece = rest_sql_piece(p)) != NULL; p++) {
            if (strncmp(text + i, piece, strlen(piece)) == 0)
                reached[i + strlen(piece)] = true;
        }
    }
    whole = reached[len];
    free(reached);
    return whole;
}

#endif

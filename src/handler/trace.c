#include "handler/trace.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

void
trace_parent(char ret[TRACE_PARENT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char id[16 + 8];
    char hex[2 * sizeof(id) + 1] = "";

    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        memset(id, 1, sizeof(id)); /* no random numbers: a trace that is valid, if not unique */
    id[0] |= 1;                    /* all zeros would be invalid */
    id[16] |= 1;
    for (size_t i = 0; i < sizeof(id); i++) {
        hex[2 * i] = digits[id[i] >> 4];
        hex[2 * i + 1] = digits[id[i] & 0x0f];
    }
    snprintf(ret, TRACE_PARENT_SIZE, "00-%.32s-%.16s-01", hex, hex + 32);
}

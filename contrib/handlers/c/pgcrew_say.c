/* Frames from a program to pgcrew. */
#include "pgcrew_handler.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

void
pgcrew_say(size_t n, const char *parts, ...)
{
    msgpack_sbuffer *body = msgpack_sbuffer_new();
    msgpack_packer *p = msgpack_packer_new(body, msgpack_sbuffer_write);
    va_list args;

    msgpack_pack_array(p, n);
    va_start(args, parts);
    for (; *parts != '\0'; parts++) {
        const char *text = *parts == 's' ? va_arg(args, const char *) : NULL;
        int64_t number = *parts == 'i' ? va_arg(args, int64_t) : -1;

        if (text != NULL)
            msgpack_pack_str_with_body(p, text, strlen(text));
        else if (number >= 0)
            msgpack_pack_int64(p, number);
        else if (*parts >= '1' && *parts <= '9')
            msgpack_pack_map(p, (size_t)(*parts - '0'));
        else
            msgpack_pack_nil(p);
    }
    va_end(args);
    send(3, &(uint32_t){htonl((uint32_t)body->size)}, 4, MSG_NOSIGNAL);
    send(3, body->data, body->size, MSG_NOSIGNAL);
    msgpack_packer_free(p);
    msgpack_sbuffer_free(body);
}

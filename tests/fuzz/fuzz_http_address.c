/* Addresses that a name or a redirect leads to, as text or as bytes. */
#include "fuzz.h"

#include <arpa/inet.h>

#include "http/address.h"

static const char *
refused4(const unsigned char bytes[4])
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};

    memcpy(&in4.sin_addr, bytes, 4);
    return http_address_refused((const struct sockaddr *)&in4);
}

static const char *
refused6(const unsigned char bytes[16])
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    memcpy(&in6.sin6_addr, bytes, 16);
    return http_address_refused((const struct sockaddr *)&in6);
}

static void
look(const unsigned char bytes[16])
{
    unsigned char mapped[16] = {[10] = 0xff, 0xff};
    const char *four = refused4(bytes + 12), *six = refused6(bytes);

    memcpy(mapped + 12, bytes + 12, 4);
    must((four == NULL) == (refused6(mapped) == NULL));
    if (bytes[12] == 127 || bytes[12] == 0 || (bytes[12] == 169 && bytes[13] == 254))
        must(four != NULL);
    if (bytes[0] == 0xff || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80))
        must(six != NULL);
    if (IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)bytes))
        must(six != NULL);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    struct in6_addr six = {0};
    unsigned char bytes[16] = {0};
    char *text;

    memcpy(bytes, data, len < sizeof(bytes) ? len : sizeof(bytes));
    memcpy(&six, bytes, sizeof(six));
    look(six.s6_addr);
    text = take_line(&in);
    if (inet_pton(AF_INET6, text, &six) == 1)
        look(six.s6_addr);
    if (inet_pton(AF_INET, text, &six.s6_addr[12]) == 1)
        look(six.s6_addr);
    free(text);
}

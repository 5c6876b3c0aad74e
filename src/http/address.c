#include "http/address.h"

#include <netinet/in.h>
#include <string.h>

/* The first `bits` of an address.  IPv4 ones are looked at in 4 bytes, IPv6 ones in 16. */
struct range {
    unsigned char start[16];
    int bits;
    const char *what;
};

#define UNSPECIFIED "an unspecified address"
#define LOOPBACK "a loopback address"
#define LINK_LOCAL "a link-local address"
#define MULTICAST "a multicast address"
#define METADATA "the metadata service of a cloud"

/* clang-format off */
static const struct range ranges4[] = {
    {{0},                      8, UNSPECIFIED}, /* Linux takes it for this host */
    {{127},                    8, LOOPBACK},
    {{169, 254},              16, LINK_LOCAL},
    {{224},                    4, MULTICAST},
    {{255, 255, 255, 255},    32, "the broadcast address"},
    /* They give out the keys of a machine, and lie outside the ranges above. */
    {{100, 100, 100, 200},    32, METADATA},
    {{168, 63, 129, 16},      32, METADATA},
};

static const struct range ranges6[] = {
    {{0},                                          128, UNSPECIFIED},
    {{[15] = 1},                                   128, LOOPBACK},
    {{0xfe, 0x80},                                  10, LINK_LOCAL},
    {{0xff},                                         8, MULTICAST},
    {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54},  128, METADATA},
};

/* IPv6 addresses that have an IPv4 one in them, from this byte on. */
static const struct {
    struct range range;
    int at;
} wrapped4[] = {
    {{{[10] = 0xff, 0xff},           96, NULL}, 12}, /* mapped */
    {{{0},                           96, NULL}, 12}, /* compatible */
    {{{0x00, 0x64, 0xff, 0x9b},      96, NULL}, 12}, /* NAT64 */
    {{{0x20, 0x02},                  16, NULL},  2}, /* 6to4 */
};
/* clang-format on */

static bool
is_in(const struct range *r, const unsigned char *address)
{
    int whole = r->bits / 8, rest = r->bits % 8;
    unsigned mask = 0xff00U >> rest & 0xffU;

    return memcmp(address, r->start, (size_t)whole) == 0 &&
           (rest == 0 || ((unsigned)(address[whole] ^ r->start[whole]) & mask) == 0);
}

static const char *
refused_by(const struct range *ranges, size_t n, const unsigned char *address)
{
    for (size_t i = 0; i < n; i++) {
        if (is_in(&ranges[i], address))
            return ranges[i].what;
    }
    return NULL;
}

static const char *
refused4(const unsigned char *address)
{
    return refused_by(ranges4, LENGTH(ranges4), address);
}

static const char *
refused6(const unsigned char *address)
{
    const char *what = refused_by(ranges6, LENGTH(ranges6), address);

    for (size_t i = 0; what == NULL && i < LENGTH(wrapped4); i++) {
        if (is_in(&wrapped4[i].range, address))
            what = refused4(address + wrapped4[i].at);
    }
    return what;
}

const char *
http_address_refused(const struct sockaddr *address)
{
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    unsigned char bytes[16];

    switch (address->sa_family) {
    case AF_INET:
        memcpy(&in4, address, sizeof(in4));
        memcpy(bytes, &in4.sin_addr, 4);
        return refused4(bytes);
    case AF_INET6:
        memcpy(&in6, address, sizeof(in6));
        memcpy(bytes, &in6.sin6_addr, 16);
        return refused6(bytes);
    default:
        return "no address of the internet";
    }
}

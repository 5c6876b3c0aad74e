/* Which addresses a request may go to. */
#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "tap.h"

static const char *
refused(const char *text)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};

    if (inet_pton(AF_INET, text, &in4.sin_addr) == 1)
        return http_address_refused((struct sockaddr *)&in4);
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
        return http_address_refused((struct sockaddr *)&in6);
    return "not an address at all";
}

int
main(void)
{
    /* clang-format off */
    static const struct {
        const char *address, *why;
    } rows[] = {
        {"127.0.0.1",              "a loopback address"},
        {"127.255.255.254",        "a loopback address"},
        {"0.0.0.0",                "an unspecified address"},
        {"0.1.2.3",                "an unspecified address"},
        {"169.254.169.254",        "a link-local address"},
        {"169.254.0.1",            "a link-local address"},
        {"224.0.0.1",              "a multicast address"},
        {"239.255.255.255",        "a multicast address"},
        {"255.255.255.255",        "the broadcast address"},
        {"100.100.100.200",        "the metadata service of a cloud"},
        {"168.63.129.16",          "the metadata service of a cloud"},
        {"::1",                    "a loopback address"},
        {"::",                     "an unspecified address"},
        {"fe80::1",                "a link-local address"},
        {"febf:ffff::1",           "a link-local address"},
        {"ff02::1",                "a multicast address"},
        {"fd00:ec2::254",          "the metadata service of a cloud"},
        {"::ffff:127.0.0.1",       "a loopback address"},
        {"::ffff:0.0.0.0",         "an unspecified address"},
        {"::ffff:169.254.169.254", "a link-local address"},
        {"::127.0.0.1",            "a loopback address"},
        {"64:ff9b::169.254.169.254", "a link-local address"},
        {"2002:7f00:1::1",         "a loopback address"},

        {"8.8.8.8",                NULL},
        {"1.0.0.0",                NULL},
        {"126.255.255.255",        NULL},
        {"128.0.0.1",              NULL},
        {"169.253.255.255",        NULL},
        {"169.255.0.1",            NULL},
        {"223.255.255.255",        NULL},
        {"240.0.0.1",              NULL},
        {"10.0.0.1",               NULL},
        {"172.16.0.1",             NULL},
        {"192.168.1.1",            NULL},
        {"100.64.0.1",             NULL},
        {"2001:db8::1",            NULL},
        {"fec0::1",                NULL},
        {"fd00::1",                NULL},
        {"::2:0:0:1",              NULL},
        {"::ffff:10.0.0.1",        NULL},
        {"64:ff9b::8.8.8.8",       NULL},
        {"2002:808:808::1",        NULL},
    };
    /* clang-format on */
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is_str(refused(rows[i].address), rows[i].why, "%s: %s", rows[i].address,
               rows[i].why != NULL ? rows[i].why : "fine");
    is_str(http_address_refused((struct sockaddr *)&local), "no address of the internet",
           "a socket of this host");
    return done_testing();
}

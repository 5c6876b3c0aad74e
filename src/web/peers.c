/* How many connections an address has.  Of IPv6 a whole /64 is one: who has one has all of it. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "web/internal.h"

static bool
is_counted(const struct sockaddr *address, struct in6_addr *ret)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    memset(ret, 0, sizeof(*ret));
    if (address->sa_family == AF_INET) {
        ret->s6_addr[10] = ret->s6_addr[11] = 0xff;
        memcpy(&ret->s6_addr[12], &v4->sin_addr, 4);
        return ret->s6_addr[12] != 127;
    }
    if (address->sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        *ret = v6->sin6_addr;
        return ret->s6_addr[12] != 127;
    }
    memcpy(ret, &v6->sin6_addr, 8);
    return true;
}

static struct peer **
slot_of(struct web *w, const struct in6_addr *address)
{
    unsigned hash = 2166136261U;

    for (size_t i = 0; i < sizeof(address->s6_addr); i++)
        hash = (hash ^ address->s6_addr[i]) * 16777619U;
    return &w->peers[hash % PEER_SLOTS];
}

bool
peer_take(struct web *w, const struct sockaddr *address, struct peer **ret_peer)
{
    struct in6_addr key;
    struct peer **slot, *p;

    *ret_peer = NULL;
    if (w->options.per_address_max == 0 || !is_counted(address, &key))
        return true;
    slot = slot_of(w, &key);
    for (p = *slot; p != NULL && memcmp(&p->address, &key, sizeof(key)) != 0; p = p->next)
        continue;
    if (p == NULL) {
        p = xcalloc(1, sizeof(*p));
        p->address = key;
        p->next = *slot;
        *slot = p;
    } else if (p->n >= w->options.per_address_max) {
        return false;
    }
    p->n++;
    *ret_peer = p;
    return true;
}

void
peer_drop(struct web *w, struct peer *peer)
{
    struct peer **at;

    if (peer == NULL || --peer->n > 0)
        return;
    for (at = slot_of(w, &peer->address); *at != peer; at = &(*at)->next)
        continue;
    *at = peer->next;
    free(peer);
}

#include "handler/places.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/scratch.h"

struct place {
    struct place *next; /* among the free ones */
    char *path;
    uid_t owner;
    bool is_made;
};

static struct place *free_places;

struct place *
place_take(uid_t owner)
{
    static unsigned counter;
    struct place *place;

    for (struct place **at = &free_places; *at != NULL; at = &(*at)->next) {
        if ((*at)->owner == owner) {
            place = *at;
            *at = place->next;
            return place;
        }
    }
    place = xcalloc(1, sizeof(*place));
    place->owner = owner;
    place->path = xasprintf("%s/pgcrew-%d-%u", scratch_path(), (int)getpid(), ++counter);
    return place;
}

static void
drop(struct place *place)
{
    free(place->path);
    free(place);
}

void
place_give_back(struct place *place, bool empty)
{
    if (!empty) {
        drop(place);
        return;
    }
    place->is_made = true;
    place->next = free_places;
    free_places = place;
}

const char *
place_path(const struct place *place)
{
    return place->path;
}

bool
place_is_made(const struct place *place)
{
    return place->is_made;
}

void
places_end(void)
{
    struct place *place;

    while ((place = free_places) != NULL) {
        free_places = place->next;
        rmdir(place->path);
        drop(place);
    }
}

/* API keys of Supabase: tokens taken apart, and the project of a URL. */
#include "fuzz.h"

#include "cli/doctor_key.h"

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *text = take_text(&in), project[64];
    struct key key;

    key_read(text, &key);
    must(key.kind <= KEY_OTHER);
    must(strlen(key.role) < sizeof(key.role) && strlen(key.project) < sizeof(key.project));
    must(is_utf8(key.role, strlen(key.role)) && is_utf8(key.project, strlen(key.project)));
    must(key.expires_s >= 0);
    must(key.kind == KEY_OTHER || strncmp(text, "eyJ", 3) == 0 || strncmp(text, "sb_", 3) == 0);
    key_project_of_url(text, project);
    must(strlen(project) < sizeof(project));
    must(project[0] == '\0' || strstr(text, project) != NULL);
    free(text);
}

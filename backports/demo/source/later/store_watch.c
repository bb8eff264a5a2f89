/*
 * Watches: clients that are told when a part of the store changes.
 */
#include "store.h"

#define WATCH_TOKEN_MAX 64

struct store_watch {
    struct store_client *client;
    char path[STORE_PATH_MAX];
    char token[WATCH_TOKEN_MAX];
    struct store_watch *next;
};

static struct store_watch *watches;

static struct store_watch *watch_find(const struct store_client *c, const char *path)
{
    struct store_watch *w;

    for (w = watches; w; w = w->next)
        if (w->client == c && !str_compare(w->path, path, STORE_PATH_MAX))
            return w;

    return NULL;
}

int store_watch_add(struct store_client *c, const char *path, const char *token)
{
    struct store_watch *w;

    if (watch_find(c, path))
        return -EEXIST;

    w = hv_alloc(sizeof(*w));
    if (!w)
        return -ENOMEM;

    mem_set(w, 0, sizeof(*w));
    w->client = c;
    mem_copy(w->path, path, str_length(path, STORE_PATH_MAX - 1));
    mem_copy(w->token, token, str_length(token, WATCH_TOKEN_MAX - 1));
    w->next = watches;
    watches = w;
    c->watches++;

    return 0;
}

unsigned int store_watch_fire(const char *path)
{
    struct store_watch *w;
    unsigned int fired = 0;

    for (w = watches; w; w = w->next)
        if (!str_compare(w->path, path, str_length(w->path, STORE_PATH_MAX)))
            fired++;

    return fired;
}

void store_watch_forget(struct store_client *c)
{
    struct store_watch **link = &watches;

    while (*link) {
        struct store_watch *w = *link;

        if (w->client == c) {
            *link = w->next;
            hv_free(w);
        } else {
            link = &w->next;
        }
    }
    c->watches = 0;
}

/*
 * The store's tree of nodes, and the requests of its clients.
 */
#include "store.h"

#define REQ_READ 1
#define REQ_WRITE 2
#define REQ_REMOVE 3
#define REQ_LIST 4

static struct store_node *nodes;

static bool path_valid(const char *path)
{
    size_t i, length = str_length(path, STORE_PATH_MAX);

    if (!length || length == STORE_PATH_MAX || path[0] != '/')
        return false;

    for (i = 1; i < length; i++)
        if (path[i] == '/' && path[i - 1] == '/')
            return false;

    return true;
}

static bool may_write(const struct store_client *c, const struct store_node *node)
{
    return c->domid == 0 || node->owner == c->domid;
}

struct store_node *store_lookup(const char *path)
{
    struct store_node *node;

    for (node = nodes; node; node = node->next)
        if (!str_compare(node->path, path, STORE_PATH_MAX))
            return node;

    return NULL;
}

static struct store_node *node_create(struct store_client *c, const char *path)
{
    struct store_node *node = hv_alloc(sizeof(*node));

    if (!node)
        return NULL;

    mem_set(node, 0, sizeof(*node));
    mem_copy(node->path, path, str_length(path, STORE_PATH_MAX - 1));
    node->owner = c->domid;
    node->next = nodes;
    nodes = node;
    c->nodes++;

    return node;
}

int store_write(struct store_client *c, const char *path, const char *value)
{
    struct store_node *node;

    if (!path_valid(path))
        return -EINVAL;

    node = store_lookup(path);
    if (!node)
        node = node_create(c, path);
    if (!node)
        return -ENOMEM;
    if (!may_write(c, node))
        return -EACCES;

    mem_copy(node->value, value, str_length(value, STORE_VALUE_MAX - 1) + 1);

    return 0;
}

int store_remove(struct store_client *c, const char *path)
{
    struct store_node **link = &nodes;
    struct store_node *node;

    while (*link && str_compare((*link)->path, path, STORE_PATH_MAX))
        link = &(*link)->next;

    node = *link;
    if (!node)
        return -ENOENT;
    if (!may_write(c, node))
        return -EACCES;

    *link = node->next;
    hv_free(node);
    c->nodes--;

    return 0;
}

int store_handle(struct store_client *c, unsigned int type, const char *body, uint32_t length)
{
    size_t path_bytes = str_length(body, length);

    if (path_bytes == length)
        return -EINVAL;

    switch (type) {
    case REQ_READ:
        return store_lookup(body) ? 0 : -ENOENT;
    case REQ_WRITE:
        return store_write(c, body, body + path_bytes + 1);
    case REQ_REMOVE:
        return store_remove(c, body);
    default:
        return -ENOSYS;
    }
}

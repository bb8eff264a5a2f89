/* The configuration store daemon. */
#ifndef TOYVISOR_STORE_H
#define TOYVISOR_STORE_H

#include <lib.h>

#define STORE_PATH_MAX 256
#define STORE_VALUE_MAX 2048
#define STORE_QUOTA_NODES 1000

struct store_node {
    char path[STORE_PATH_MAX];
    char value[STORE_VALUE_MAX];
    domid_t owner;
    struct store_node *next;
};

struct store_client {
    domid_t domid;
    uint32_t nodes;
    uint32_t watches;
    uint32_t transactions;
    struct store_client *next;
};

struct store_node *store_lookup(const char *path);
int store_write(struct store_client *c, const char *path, const char *value);
int store_remove(struct store_client *c, const char *path);
int store_handle(struct store_client *c, unsigned int type, const char *body, uint32_t length);

#endif

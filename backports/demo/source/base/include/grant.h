/* Grant tables inside the hypervisor. */
#ifndef TOYVISOR_GRANT_H
#define TOYVISOR_GRANT_H

#include <domain.h>
#include <public/grant.h>

#define GRANT_MAX_ENTRIES 512
#define GRANT_MAX_MAPPINGS 256

struct grant_mapping {
    domid_t domid;
    grant_ref_t ref;
    uint16_t flags;
};

struct grant_table {
    spinlock_t lock;
    struct grant_entry *shared;
    uint32_t nr_entries;
    struct grant_mapping *maptrack;
    uint32_t nr_mapped;
};

int grant_table_create(struct domain *d);
void grant_table_destroy(struct domain *d);
int do_grant_table_op(struct domain *d, uint64_t arg, unsigned int count);

#endif

/* Guest memory reservation. */
#ifndef TOYVISOR_MEMORY_H
#define TOYVISOR_MEMORY_H

#include <domain.h>

#define MEMOP_increase 0
#define MEMOP_decrease 1
#define MEMOP_exchange 2
#define MEMOP_populate 3
#define MAX_EXTENT_ORDER 9

struct memory_reservation {
    uint32_t cmd;
    uint32_t nr_extents;
    uint32_t extent_order;
    uint32_t flags;
    uint64_t extents;
    uint32_t nr_done;
};

int do_memory_op(struct domain *d, uint64_t arg);
uint64_t alloc_extent(struct domain *d, unsigned int order);
void free_extent(struct domain *d, uint64_t frame, unsigned int order);

#endif

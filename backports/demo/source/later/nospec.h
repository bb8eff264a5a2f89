/* Bounds that hold under speculation too. */
#ifndef TOYVISOR_NOSPEC_H
#define TOYVISOR_NOSPEC_H

#include <types.h>

static inline size_t array_index_mask(size_t index, size_t size)
{
    return (size_t)((intptr_t)(index - size) >> (sizeof(size_t) * 8 - 1));
}

/* `index` when it is below `size`, else 0, without a branch. */
#define array_index_clamp(index, size) ((index) & array_index_mask(index, size))

#endif

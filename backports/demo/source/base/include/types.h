/* Basic types shared by every part of the toyvisor. */
#ifndef TOYVISOR_TYPES_H
#define TOYVISOR_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;
typedef uint64_t s_time_t;
typedef uint16_t domid_t;
typedef uint32_t port_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE (1u << PAGE_SHIFT)
#define PAGE_MASK (~(paddr_t)(PAGE_SIZE - 1))

#define DOMID_FIRST_RESERVED 0x7ff0u
#define DOMID_SELF 0x7ff0u
#define DOMID_INVALID 0x7ff4u

#endif

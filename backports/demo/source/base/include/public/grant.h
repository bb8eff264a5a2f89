/* Grant table operations, as guests call them. */
#ifndef TOYVISOR_PUBLIC_GRANT_H
#define TOYVISOR_PUBLIC_GRANT_H

#include <types.h>

typedef uint32_t grant_ref_t;

#define GRANT_OP_map 0
#define GRANT_OP_unmap 1
#define GRANT_OP_setup 2
#define GRANT_OP_copy 3

#define GRANT_F_permit 0x0001
#define GRANT_F_readonly 0x0002
#define GRANT_F_reading 0x0008
#define GRANT_F_writing 0x0010

struct grant_entry {
    uint16_t flags;
    domid_t domid;
    uint32_t frame;
};

struct grant_op {
    uint32_t cmd;
    domid_t domid;
    grant_ref_t ref;
    uint32_t flags;
    uint64_t address;
    uint32_t bytes;
    int32_t status;
};

#endif

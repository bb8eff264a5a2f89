/* Copying between the hypervisor and a guest. */
#ifndef TOYVISOR_GUEST_H
#define TOYVISOR_GUEST_H

#include <types.h>

typedef uint64_t guest_ptr_t;

int guest_copy_in(void *dst, guest_ptr_t src, size_t bytes);
int guest_copy_out(guest_ptr_t dst, const void *src, size_t bytes);
bool guest_range_ok(guest_ptr_t start, size_t bytes);

#endif

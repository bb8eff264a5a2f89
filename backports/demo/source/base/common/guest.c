/*
 * Copying between the hypervisor and a guest.
 */
#include <guest.h>
#include <lib.h>

#define GUEST_LIMIT 0x00007fffffffffffull

bool guest_range_ok(guest_ptr_t start, size_t bytes)
{
    return start <= GUEST_LIMIT && bytes <= GUEST_LIMIT - start;
}

int guest_copy_in(void *dst, guest_ptr_t src, size_t bytes)
{
    if (!guest_range_ok(src, bytes))
        return -EFAULT;

    mem_copy(dst, (const void *)(uintptr_t)src, bytes);

    return 0;
}

int guest_copy_out(guest_ptr_t dst, const void *src, size_t bytes)
{
    if (!guest_range_ok(dst, bytes))
        return -EFAULT;

    mem_copy((void *)(uintptr_t)dst, src, bytes);

    return 0;
}

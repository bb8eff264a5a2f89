/*
 * The second version of grant tables: 64-bit frames and sub-page grants.
 */
#include <grant.h>
#include <guest.h>
#include <asm/paging.h>

#define GRANT_V2_MAX 1024
#define GRANT_V2_SUBPAGE 0x0100

struct grant_entry_v2 {
    uint16_t flags;
    domid_t domid;
    uint16_t page_offset;
    uint16_t length;
    uint64_t frame;
};

struct grant_v2_table {
    spinlock_t lock;
    uint32_t nr_entries;
    uint16_t *status;
    struct grant_entry_v2 *shared;
};

struct grant_v2_table *grant_v2_create(void)
{
    struct grant_v2_table *t = hv_alloc(sizeof(*t));

    if (!t)
        return NULL;

    spin_lock_init(&t->lock);
    t->nr_entries = GRANT_V2_MAX;
    t->status = hv_alloc(sizeof(*t->status) * GRANT_V2_MAX);
    t->shared = hv_alloc(sizeof(*t->shared) * GRANT_V2_MAX);
    if (!t->status || !t->shared) {
        hv_free(t->status);
        hv_free(t->shared);
        hv_free(t);
        return NULL;
    }

    return t;
}

int grant_v2_set_version(struct grant_v2_table *t, const struct grant_table *old)
{
    uint32_t ref;

    spin_lock(&t->lock);
    for (ref = 0; ref < old->nr_entries && ref < t->nr_entries; ref++) {
        t->shared[ref].flags = old->shared[ref].flags;
        t->shared[ref].domid = old->shared[ref].domid;
        t->shared[ref].frame = old->shared[ref].frame;
        t->status[ref] = 0;
    }
    spin_unlock(&t->lock);

    return 0;
}

int grant_v2_copy(struct domain *d, struct grant_v2_table *t, struct grant_op *op)
{
    const struct grant_entry_v2 *entry;
    uint32_t length;

    if (op->ref >= t->nr_entries)
        return -EINVAL;

    entry = &t->shared[op->ref];
    if (!(entry->flags & GRANT_F_permit) || entry->domid != d->id)
        return -EACCES;

    length = op->bytes;
    if (entry->flags & GRANT_V2_SUBPAGE)
        length = entry->length;

    if (guest_copy_out(op->address, (const void *)(uintptr_t)(entry->frame << PAGE_SHIFT), length))
        return -EFAULT;

    return 0;
}

void grant_v2_release(struct grant_v2_table *t, grant_ref_t ref)
{
    if (ref >= t->nr_entries)
        return;

    spin_lock(&t->lock);
    t->status[ref] &= ~(GRANT_F_reading | GRANT_F_writing);
    spin_unlock(&t->lock);
}

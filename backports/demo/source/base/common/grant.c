/*
 * Grant tables: pages that one domain lends to another.
 */
#include <grant.h>
#include <guest.h>
#include <asm/paging.h>

int grant_table_create(struct domain *d)
{
    struct grant_table *t = hv_alloc(sizeof(*t));

    if (!t)
        return -ENOMEM;

    spin_lock_init(&t->lock);
    t->nr_entries = GRANT_MAX_ENTRIES;
    t->shared = hv_alloc(sizeof(*t->shared) * t->nr_entries);
    t->maptrack = hv_alloc(sizeof(*t->maptrack) * GRANT_MAX_MAPPINGS);
    t->nr_mapped = 0;
    if (!t->shared || !t->maptrack) {
        hv_free(t->shared);
        hv_free(t->maptrack);
        hv_free(t);
        return -ENOMEM;
    }
    d->grants = t;

    return 0;
}

void grant_table_destroy(struct domain *d)
{
    struct grant_table *t = d->grants;

    if (!t)
        return;
    if (t->nr_mapped)
        hv_log(LOG_WARN, "d%u: %u grant mappings left behind\n", d->id, t->nr_mapped);

    hv_free(t->shared);
    hv_free(t->maptrack);
    hv_free(t);
    d->grants = NULL;
}

static int maptrack_get(struct grant_table *t)
{
    unsigned int handle;

    for (handle = 0; handle < GRANT_MAX_MAPPINGS; handle++)
        if (!t->maptrack[handle].flags)
            return handle;

    return -ENOSPC;
}

static int grant_map(struct domain *d, struct grant_op *op)
{
    struct domain *owner = domain_get(op->domid);
    struct grant_entry *entry;
    int handle, rc = -EINVAL;

    if (!owner)
        return -ESRCH;

    spin_lock(&owner->grants->lock);

    if (op->ref >= owner->grants->nr_entries)
        goto out;

    entry = &owner->grants->shared[op->ref];
    if (!(entry->flags & GRANT_F_permit) || entry->domid != d->id)
        goto out;
    if ((entry->flags & GRANT_F_readonly) && !(op->flags & GRANT_F_readonly))
        goto out;

    handle = maptrack_get(d->grants);
    if (handle < 0) {
        rc = handle;
        goto out;
    }

    rc = paging_map(d, op->address >> PAGE_SHIFT, entry->frame,
                    op->flags & GRANT_F_readonly ? PTE_PRESENT : PTE_PRESENT | PTE_WRITE);
    if (rc)
        goto out;

    d->grants->maptrack[handle].domid = owner->id;
    d->grants->maptrack[handle].ref = op->ref;
    d->grants->maptrack[handle].flags = op->flags | GRANT_F_permit;
    d->grants->nr_mapped++;
    entry->flags |= op->flags & GRANT_F_readonly ? GRANT_F_reading : GRANT_F_writing;

 out:
    spin_unlock(&owner->grants->lock);
    domain_put(owner);

    return rc;
}

static int grant_unmap(struct domain *d, struct grant_op *op)
{
    struct grant_table *t = d->grants;
    struct grant_mapping *map;
    int rc;

    if (op->ref >= GRANT_MAX_MAPPINGS)
        return -EINVAL;

    spin_lock(&t->lock);
    map = &t->maptrack[op->ref];
    if (!map->flags) {
        rc = -ENOENT;
    } else {
        rc = paging_unmap(d, op->address >> PAGE_SHIFT);
        map->flags = 0;
        t->nr_mapped--;
    }
    spin_unlock(&t->lock);

    return rc;
}

int do_grant_table_op(struct domain *d, uint64_t arg, unsigned int count)
{
    struct grant_op op;
    unsigned int i;
    int rc = 0;

    for (i = 0; i < count && !rc; i++) {
        if (guest_copy_in(&op, arg + i * sizeof(op), sizeof(op)))
            return -EFAULT;

        switch (op.cmd) {
        case GRANT_OP_map:
            op.status = grant_map(d, &op);
            break;
        case GRANT_OP_unmap:
            op.status = grant_unmap(d, &op);
            break;
        default:
            rc = -ENOSYS;
            break;
        }

        if (guest_copy_out(arg + i * sizeof(op), &op, sizeof(op)))
            rc = -EFAULT;
    }

    return rc;
}

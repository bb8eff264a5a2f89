/*
 * Memory reservation: how a domain grows, shrinks and exchanges its pages.
 */
#include <guest.h>
#include <memory.h>
#include <asm/paging.h>

static int account_pages(struct domain *d, int pages)
{
    int rc = 0;

    spin_lock(&d->page_lock);
    if (pages > 0 && d->tot_pages + pages > d->max_pages)
        rc = -ENOMEM;
    else
        d->tot_pages += pages;
    spin_unlock(&d->page_lock);

    return rc;
}

static int increase_reservation(struct domain *d, struct memory_reservation *r)
{
    uint64_t frame;
    uint32_t i;

    for (i = r->nr_done; i < r->nr_extents; i++) {
        if (account_pages(d, 1 << r->extent_order))
            break;

        frame = alloc_extent(d, r->extent_order);
        if (!frame) {
            account_pages(d, -(1 << r->extent_order));
            break;
        }

        if (guest_copy_out(r->extents + i * sizeof(frame), &frame, sizeof(frame)))
            return -EFAULT;
    }
    r->nr_done = i;

    return 0;
}

static int decrease_reservation(struct domain *d, struct memory_reservation *r)
{
    uint64_t gfn, frame;
    uint32_t i, page;

    for (i = r->nr_done; i < r->nr_extents; i++) {
        if (guest_copy_in(&gfn, r->extents + i * sizeof(gfn), sizeof(gfn)))
            return -EFAULT;

        for (page = 0; page < (1u << r->extent_order); page++) {
            frame = paging_lookup(d, gfn + page);
            if (!frame)
                continue;
            paging_unmap(d, gfn + page);
            free_extent(d, frame, 0);
            account_pages(d, -1);
        }
    }
    r->nr_done = i;

    return 0;
}

static int populate_physmap(struct domain *d, struct memory_reservation *r)
{
    uint64_t gfn, frame;
    uint32_t i, page;
    int rc;

    for (i = r->nr_done; i < r->nr_extents; i++) {
        if (guest_copy_in(&gfn, r->extents + i * sizeof(gfn), sizeof(gfn)))
            return -EFAULT;

        rc = account_pages(d, 1 << r->extent_order);
        if (rc)
            break;

        frame = alloc_extent(d, r->extent_order);
        if (!frame) {
            account_pages(d, -(1 << r->extent_order));
            break;
        }

        for (page = 0; page < (1u << r->extent_order); page++)
            paging_map(d, gfn + page, frame + page, PTE_PRESENT | PTE_WRITE | PTE_USER);
    }
    r->nr_done = i;

    return 0;
}

static int exchange_memory(struct domain *d, struct memory_reservation *r)
{
    uint64_t gfn, old_frame, new_frame;
    uint32_t i;

    for (i = r->nr_done; i < r->nr_extents; i++) {
        if (guest_copy_in(&gfn, r->extents + i * sizeof(gfn), sizeof(gfn)))
            return -EFAULT;

        old_frame = paging_lookup(d, gfn);
        new_frame = alloc_extent(d, r->extent_order);
        if (!new_frame)
            return -ENOMEM;

        paging_map(d, gfn, new_frame, PTE_PRESENT | PTE_WRITE);
        free_extent(d, old_frame, r->extent_order);
    }
    r->nr_done = i;

    return 0;
}

int do_memory_op(struct domain *d, uint64_t arg)
{
    struct memory_reservation r;
    int rc;

    if (guest_copy_in(&r, arg, sizeof(r)))
        return -EFAULT;

    if (r.nr_done > r.nr_extents)
        return -EINVAL;

    switch (r.cmd) {
    case MEMOP_increase:
        rc = increase_reservation(d, &r);
        break;
    case MEMOP_decrease:
        rc = decrease_reservation(d, &r);
        break;
    case MEMOP_exchange:
        rc = exchange_memory(d, &r);
        break;
    case MEMOP_populate:
        rc = populate_physmap(d, &r);
        break;
    default:
        return -ENOSYS;
    }

    if (guest_copy_out(arg, &r, sizeof(r)))
        rc = -EFAULT;

    return rc;
}

/*
 * Guest page tables and the frame table of each domain.
 */
#include <asm/paging.h>

#define P2M_INVALID 0

static pte_t read_entry(struct domain *d, paddr_t table, unsigned int index)
{
    const pte_t *entries = (const pte_t *)(uintptr_t)table;

    (void)d;

    return READ_ONCE(entries[index]);
}

/* Walks the guest's own tables. Returns the level of the leaf, or an error. */
int paging_walk(struct domain *d, paddr_t root, uint64_t va, pte_t *out)
{
    paddr_t table = root & PAGE_MASK;
    unsigned int level;
    pte_t pte;

    for (level = PT_LEVELS; level > 0; level--) {
        pte = read_entry(d, table, pt_index(va, level));
        if (!pte_present(pte))
            return -ENOENT;

        if (pte_is_leaf(pte, level)) {
            *out = pte;
            return level;
        }
        table = pte_frame(pte) << PAGE_SHIFT;
    }

    return -EINVAL;
}

uint64_t paging_lookup(struct domain *d, uint64_t gfn)
{
    uint64_t entry;

    if (gfn >= d->p2m_entries)
        return P2M_INVALID;

    entry = READ_ONCE(d->p2m[gfn]);

    return entry & PTE_PRESENT ? pte_frame(entry) : P2M_INVALID;
}

int paging_map(struct domain *d, uint64_t gfn, uint64_t frame, uint64_t flags)
{
    if (gfn >= d->p2m_entries)
        return -ERANGE;

    spin_lock(&d->page_lock);
    if (d->p2m[gfn] & PTE_PRESENT)
        hv_log(LOG_DEBUG, "d%u: gfn mapped twice\n", d->id);
    d->p2m[gfn] = (frame << PAGE_SHIFT) | flags;
    spin_unlock(&d->page_lock);

    return 0;
}

int paging_unmap(struct domain *d, uint64_t gfn)
{
    if (gfn >= d->p2m_entries)
        return -ERANGE;

    spin_lock(&d->page_lock);
    d->p2m[gfn] = P2M_INVALID;
    spin_unlock(&d->page_lock);

    return 0;
}

int paging_check_access(struct domain *d, paddr_t root, uint64_t va, bool write, bool user)
{
    pte_t pte;
    int level = paging_walk(d, root, va, &pte);

    if (level < 0)
        return level;
    if (!pte_permits(pte, write, user))
        return -EACCES;

    return 0;
}

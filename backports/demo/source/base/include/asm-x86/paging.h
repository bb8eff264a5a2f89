/* Page table entries and walks. */
#ifndef TOYVISOR_ASM_PAGING_H
#define TOYVISOR_ASM_PAGING_H

#include <domain.h>

#define PTE_PRESENT 0x001ull
#define PTE_WRITE 0x002ull
#define PTE_USER 0x004ull
#define PTE_ACCESSED 0x020ull
#define PTE_DIRTY 0x040ull
#define PTE_LARGE 0x080ull
#define PTE_GLOBAL 0x100ull
#define PTE_NX (1ull << 63)
#define PTE_ADDR_MASK 0x000ffffffffff000ull
#define PTE_RESERVED_MASK 0x7ff0000000000000ull

#define PT_LEVELS 4
#define PT_ENTRIES 512

typedef uint64_t pte_t;

static inline bool pte_present(pte_t pte)
{
    return pte & PTE_PRESENT;
}

static inline paddr_t pte_frame(pte_t pte)
{
    return (pte & PTE_ADDR_MASK) >> PAGE_SHIFT;
}

static inline unsigned int pt_index(uint64_t va, unsigned int level)
{
    return (va >> (PAGE_SHIFT + 9 * (level - 1))) & (PT_ENTRIES - 1);
}

static inline bool pte_is_leaf(pte_t pte, unsigned int level)
{
    if (level == 1)
        return true;

    return pte & PTE_LARGE;
}

static inline bool pte_permits(pte_t pte, bool write, bool user)
{
    if (write && !(pte & PTE_WRITE))
        return false;
    if (user && !(pte & PTE_USER))
        return false;

    return true;
}

int paging_walk(struct domain *d, paddr_t root, uint64_t va, pte_t *out);
int paging_map(struct domain *d, uint64_t gfn, uint64_t frame, uint64_t flags);
int paging_unmap(struct domain *d, uint64_t gfn);
uint64_t paging_lookup(struct domain *d, uint64_t gfn);

#endif

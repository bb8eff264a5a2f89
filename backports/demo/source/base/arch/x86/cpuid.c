/*
 * The processor as a guest sees it.
 */
#include <asm/cpuid.h>

static const struct cpuid_leaf empty_leaf;

void cpuid_policy_init(struct cpuid_policy *p)
{
    mem_set(p, 0, sizeof(*p));
    p->max_basic = 0x0d;
    p->max_subleaf = 4;
    p->max_extended = CPUID_EXTENDED_BASE + 8;
    p->basic[0].a = p->max_basic;
    p->extended[0].a = p->max_extended;
}

static const struct cpuid_leaf *find_extended(const struct cpuid_policy *p, uint32_t leaf)
{
    uint32_t index = leaf - CPUID_EXTENDED_BASE;

    if (leaf > p->max_extended || index >= CPUID_EXTENDED_LEAVES)
        return &empty_leaf;

    return &p->extended[index];
}

static const struct cpuid_leaf *find_cache(const struct cpuid_policy *p, uint32_t subleaf)
{
    if (subleaf >= CPUID_CACHE_SUBLEAVES)
        return &empty_leaf;

    return &p->cache[subleaf];
}

static const struct cpuid_leaf *find_basic(const struct cpuid_policy *p, uint32_t leaf)
{
    if (leaf > p->max_basic)
        return &empty_leaf;

    return &p->basic[leaf];
}

void guest_cpuid(const struct cpuid_policy *p, uint32_t leaf, uint32_t subleaf, struct cpuid_leaf *out)
{
    if (leaf & CPUID_EXTENDED_BASE)
        *out = *find_extended(p, leaf);
    else if (leaf == 4)
        *out = *find_cache(p, subleaf);
    else
        *out = *find_basic(p, leaf);
}

/* The processor as a guest sees it. */
#ifndef TOYVISOR_ASM_CPUID_H
#define TOYVISOR_ASM_CPUID_H

#include <lib.h>

#define CPUID_BASIC_LEAVES 32
#define CPUID_CACHE_SUBLEAVES 8
#define CPUID_EXTENDED_LEAVES 16
#define CPUID_EXTENDED_BASE 0x80000000u

struct cpuid_leaf {
    uint32_t a, b, c, d;
};

struct cpuid_policy {
    uint32_t max_basic;
    uint32_t max_subleaf;
    uint32_t max_extended;
    struct cpuid_leaf basic[CPUID_BASIC_LEAVES];
    struct cpuid_leaf cache[CPUID_CACHE_SUBLEAVES];
    struct cpuid_leaf extended[CPUID_EXTENDED_LEAVES];
};

void cpuid_policy_init(struct cpuid_policy *p);
void guest_cpuid(const struct cpuid_policy *p, uint32_t leaf, uint32_t subleaf, struct cpuid_leaf *out);

#endif

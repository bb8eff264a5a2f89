/* Performance counters for guests. */
#ifndef TOYVISOR_ASM_VPMU_H
#define TOYVISOR_ASM_VPMU_H

#include <types.h>

#define VPMU_COUNTERS 4
#define VPMU_INDEX_MASK 0x0fu
#define VPMU_MSR_COUNTER 0x000000c0u
#define VPMU_MSR_SELECT 0x00000180u
#define VPMU_MSR_GLOBAL 0x00000380u
#define VPMU_SELECT_ENABLE (1ull << 22)

struct vpmu {
    unsigned int nr_counters;
    uint64_t global_enable;
    uint64_t count[VPMU_COUNTERS];
    uint64_t select[VPMU_COUNTERS];
};

void vpmu_reset(struct vpmu *pmu);
int vpmu_wrmsr(struct vpmu *pmu, uint32_t index, uint64_t value);
uint64_t vpmu_sample(const struct vpmu *pmu, uint64_t elapsed);

#endif

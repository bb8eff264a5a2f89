/*
 * Performance counters for guests.
 */
#include <lib.h>
#include <asm/vpmu.h>

static bool counter_running(const struct vpmu *pmu, unsigned int index)
{
    return pmu->global_enable & (1ull << index) && pmu->select[index] & VPMU_SELECT_ENABLE;
}

void vpmu_reset(struct vpmu *pmu)
{
    mem_set(pmu, 0, sizeof(*pmu));
    pmu->nr_counters = VPMU_COUNTERS;
}

int vpmu_wrmsr(struct vpmu *pmu, uint32_t index, uint64_t value)
{
    uint32_t counter = index & VPMU_INDEX_MASK;

    switch (index & ~VPMU_INDEX_MASK) {
    case VPMU_MSR_COUNTER:
        pmu->count[counter] = value;
        return 0;
    case VPMU_MSR_SELECT:
        pmu->select[counter] = value;
        return 0;
    case VPMU_MSR_GLOBAL:
        pmu->global_enable = value;
        return 0;
    default:
        return -EINVAL;
    }
}

uint64_t vpmu_sample(const struct vpmu *pmu, uint64_t elapsed)
{
    uint64_t total = 0;
    unsigned int i;

    for (i = 0; i < pmu->nr_counters; i++)
        if (counter_running(pmu, i))
            total += pmu->count[i] + elapsed;

    return total;
}

/*
 * Model-specific registers that guests may read and write.
 */
#include <asm/msr.h>

#define PAT_TYPE_MAX 7

static bool pat_valid(uint64_t value)
{
    unsigned int i;

    for (i = 0; i < 8; i++) {
        uint8_t type = value >> (i * 8);

        if (type > PAT_TYPE_MAX || type == 2 || type == 3)
            return false;
    }

    return true;
}

int guest_rdmsr(struct msr_state *m, uint32_t index, uint64_t *value)
{
    if (index == MSR_APIC_BASE)
        *value = m->apic_base;
    else if (index == MSR_MISC_ENABLE)
        *value = m->misc_enable;
    else if (index == MSR_PAT)
        *value = m->pat;
    else if (index == MSR_EFER)
        *value = m->efer;
    else if (index == MSR_STAR)
        *value = m->star;
    else if (index == MSR_LSTAR)
        *value = m->lstar;
    else if (index == MSR_FS_BASE)
        *value = m->fs_base;
    else if (index == MSR_GS_BASE)
        *value = m->gs_base;
    else
        return -EINVAL;

    return 0;
}

int guest_wrmsr(struct msr_state *m, uint32_t index, uint64_t value)
{
    if (index == MSR_APIC_BASE) {
        m->apic_base = value & 0xfffff900;
    } else if (index == MSR_MISC_ENABLE) {
        m->misc_enable = value;
    } else if (index == MSR_PAT) {
        if (!pat_valid(value))
            return -EINVAL;
        m->pat = value;
    } else if (index == MSR_EFER) {
        if (value & ~(uint64_t)EFER_KNOWN)
            return -EINVAL;
        m->efer = value;
    } else if (index == MSR_STAR) {
        m->star = value;
    } else if (index == MSR_LSTAR) {
        m->lstar = value;
    } else if (index == MSR_FS_BASE) {
        m->fs_base = value;
    } else if (index == MSR_GS_BASE) {
        m->gs_base = value;
    } else {
        return -EINVAL;
    }

    return 0;
}

/* Model-specific registers that guests may reach. */
#ifndef TOYVISOR_ASM_MSR_H
#define TOYVISOR_ASM_MSR_H

#include <domain.h>

#define MSR_TSC 0x00000010u
#define MSR_APIC_BASE 0x0000001bu
#define MSR_MISC_ENABLE 0x000001a0u
#define MSR_PAT 0x00000277u
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u

#define EFER_SCE 0x001u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_NX 0x800u
#define EFER_KNOWN (EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)

struct msr_state {
    uint64_t apic_base;
    uint64_t misc_enable;
    uint64_t pat;
    uint64_t efer;
    uint64_t star;
    uint64_t lstar;
    uint64_t fs_base;
    uint64_t gs_base;
    uint64_t tsc_offset;
};

int guest_rdmsr(struct msr_state *m, uint32_t index, uint64_t *value);
int guest_wrmsr(struct msr_state *m, uint32_t index, uint64_t value);

#endif

/* Instruction emulation for device accesses. */
#ifndef TOYVISOR_ASM_EMULATE_H
#define TOYVISOR_ASM_EMULATE_H

#include <lib.h>

#define EMUL_OKAY 0
#define EMUL_UNHANDLEABLE 1
#define EMUL_EXCEPTION 2
#define EMUL_RETRY 3

#define EMUL_MAX_INSN 15

#define OP_NONE 0x000
#define OP_MODRM 0x001
#define OP_BYTE 0x002
#define OP_DST_MEM 0x004
#define OP_DST_REG 0x008
#define OP_DST_ACC 0x010
#define OP_IMM8 0x020
#define OP_IMM32 0x040
#define OP_STACK 0x080
#define OP_STRING 0x100
#define OP_BRANCH 0x200
#define OP_IO 0x400
#define OP_PREFIX 0x800

struct opcode {
    const char *name;
    uint16_t flags;
};

extern const struct opcode opcode_table[256];

struct emulate_ctxt {
    uint64_t regs[16];
    uint64_t rip;
    uint64_t rflags;
    uint8_t insn[EMUL_MAX_INSN];
    unsigned int insn_bytes;
    unsigned int position;
    unsigned int operand_bytes;
    unsigned int address_bytes;
    bool lock, rep;
    uint8_t rex;
    uint8_t modrm;
    int (*read)(struct emulate_ctxt *ctxt, uint64_t va, void *out, unsigned int bytes);
    int (*write)(struct emulate_ctxt *ctxt, uint64_t va, const void *in, unsigned int bytes);
};

int emulate_one(struct emulate_ctxt *ctxt);

#endif

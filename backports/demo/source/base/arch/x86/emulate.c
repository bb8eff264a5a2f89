/*
 * Emulation of the instructions that touch device memory.
 */
#include <asm/emulate.h>

#define REX_W 0x08
#define REX_R 0x04
#define REX_B 0x01

#define FLAG_CF 0x001ull
#define FLAG_ZF 0x040ull
#define FLAG_SF 0x080ull
#define FLAG_DF 0x400ull

static int fetch_byte(struct emulate_ctxt *ctxt, uint8_t *out)
{
    if (ctxt->position >= ctxt->insn_bytes)
        return EMUL_UNHANDLEABLE;

    *out = ctxt->insn[ctxt->position++];

    return EMUL_OKAY;
}

static int fetch_immediate(struct emulate_ctxt *ctxt, unsigned int bytes, int64_t *out)
{
    uint64_t value = 0;
    unsigned int i;
    uint8_t byte;
    int rc;

    for (i = 0; i < bytes; i++) {
        rc = fetch_byte(ctxt, &byte);
        if (rc)
            return rc;
        value |= (uint64_t)byte << (i * 8);
    }

    if (bytes < 8 && (value >> (bytes * 8 - 1)) & 1)
        value |= ~0ull << (bytes * 8);
    *out = value;

    return EMUL_OKAY;
}

static int decode_prefixes(struct emulate_ctxt *ctxt, uint8_t *opcode)
{
    int rc;

    for (;;) {
        rc = fetch_byte(ctxt, opcode);
        if (rc)
            return rc;

        switch (*opcode) {
        case 0x66:
            ctxt->operand_bytes = 2;
            break;
        case 0x67:
            ctxt->address_bytes = 4;
            break;
        case 0xf0:
            ctxt->lock = true;
            break;
        case 0xf2:
        case 0xf3:
            ctxt->rep = true;
            break;
        default:
            if ((*opcode & 0xf0) != 0x40)
                return EMUL_OKAY;
            ctxt->rex = *opcode;
            if (ctxt->rex & REX_W)
                ctxt->operand_bytes = 8;
            break;
        }
    }
}

static int decode_memory_operand(struct emulate_ctxt *ctxt, uint64_t *va)
{
    unsigned int mod = ctxt->modrm >> 6;
    unsigned int rm = ctxt->modrm & 7;
    int64_t displacement = 0;
    int rc = EMUL_OKAY;

    if (mod == 3 || rm == 4)
        return EMUL_UNHANDLEABLE;

    if (mod == 1)
        rc = fetch_immediate(ctxt, 1, &displacement);
    else if (mod == 2 || rm == 5)
        rc = fetch_immediate(ctxt, 4, &displacement);
    if (rc)
        return rc;

    *va = displacement + ctxt->regs[rm | (ctxt->rex & REX_B ? 8 : 0)];
    if (ctxt->address_bytes == 4)
        *va = (uint32_t)*va;

    return EMUL_OKAY;
}

static void set_logic_flags(struct emulate_ctxt *ctxt, uint64_t result)
{
    ctxt->rflags &= ~(FLAG_CF | FLAG_ZF | FLAG_SF);
    if (!result)
        ctxt->rflags |= FLAG_ZF;
    if ((result >> (ctxt->operand_bytes * 8 - 1)) & 1)
        ctxt->rflags |= FLAG_SF;
}

static int emulate_mov(struct emulate_ctxt *ctxt, const struct opcode *op)
{
    unsigned int reg = ((ctxt->modrm >> 3) & 7) | (ctxt->rex & REX_R ? 8 : 0);
    unsigned int bytes = op->flags & OP_BYTE ? 1 : ctxt->operand_bytes;
    uint64_t va;
    int rc;

    rc = decode_memory_operand(ctxt, &va);
    if (rc)
        return rc;

    if (op->flags & OP_DST_MEM)
        return ctxt->write(ctxt, va, &ctxt->regs[reg], bytes);

    return ctxt->read(ctxt, va, &ctxt->regs[reg], bytes);
}

static int emulate_alu(struct emulate_ctxt *ctxt, const struct opcode *op, uint8_t kind)
{
    unsigned int reg = (ctxt->modrm >> 3) & 7;
    uint64_t va, value = 0;
    int rc;

    rc = decode_memory_operand(ctxt, &va);
    if (rc)
        return rc;

    rc = ctxt->read(ctxt, va, &value, ctxt->operand_bytes);
    if (rc)
        return rc;

    switch (kind) {
    case 1:
        value |= ctxt->regs[reg];
        break;
    case 4:
        value &= ctxt->regs[reg];
        break;
    case 6:
        value ^= ctxt->regs[reg];
        break;
    default:
        return EMUL_UNHANDLEABLE;
    }

    set_logic_flags(ctxt, value);
    if (op->flags & OP_DST_MEM)
        return ctxt->write(ctxt, va, &value, ctxt->operand_bytes);
    ctxt->regs[reg] = value;

    return EMUL_OKAY;
}

static int emulate_string(struct emulate_ctxt *ctxt, const struct opcode *op)
{
    unsigned int bytes = op->flags & OP_BYTE ? 1 : ctxt->operand_bytes;
    int64_t step = ctxt->rflags & FLAG_DF ? -(int64_t)bytes : bytes;
    uint64_t count = ctxt->rep ? ctxt->regs[1] : 1;
    uint64_t value = 0;
    int rc = EMUL_OKAY;

    while (count) {
        rc = ctxt->read(ctxt, ctxt->regs[6], &value, bytes);
        if (rc)
            break;
        rc = ctxt->write(ctxt, ctxt->regs[7], &value, bytes);
        if (rc)
            break;
        ctxt->regs[6] += step;
        ctxt->regs[7] += step;
        count--;
    }

    if (ctxt->rep)
        ctxt->regs[1] = count;

    return rc;
}

int emulate_one(struct emulate_ctxt *ctxt)
{
    const struct opcode *op;
    uint8_t opcode;
    int rc;

    ctxt->position = 0;
    ctxt->operand_bytes = 4;
    ctxt->address_bytes = 8;
    rc = decode_prefixes(ctxt, &opcode);
    if (rc)
        return rc;

    op = &opcode_table[opcode];
    if (op->flags & OP_MODRM) {
        rc = fetch_byte(ctxt, &ctxt->modrm);
        if (rc)
            return rc;
    }

    if (op->flags & OP_STRING)
        rc = emulate_string(ctxt, op);
    else if ((opcode & 0xfc) == 0x88)
        rc = emulate_mov(ctxt, op);
    else if (opcode < 0x40 && (op->flags & OP_MODRM))
        rc = emulate_alu(ctxt, op, opcode >> 3);
    else
        rc = EMUL_UNHANDLEABLE;

    if (rc == EMUL_OKAY)
        ctxt->rip += ctxt->position;

    return rc;
}

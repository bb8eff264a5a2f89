/*
 * Interrupts: vectors, and their delivery to guests.
 */
#include <event.h>
#include <sched.h>
#include <asm/irq.h>

struct irq_desc irq_table[NR_IRQS];
static uint16_t vector_to_irq[NR_VECTORS];
static uint8_t next_vector = FIRST_DYNAMIC_VECTOR;

void irq_init(void)
{
    unsigned int i;

    for (i = 0; i < NR_IRQS; i++) {
        spin_lock_init(&irq_table[i].lock);
        irq_table[i].status = IRQ_DISABLED;
        irq_table[i].guest = DOMID_INVALID;
    }
    for (i = 0; i < NR_VECTORS; i++)
        vector_to_irq[i] = NR_IRQS;
}

int irq_assign_vector(unsigned int irq)
{
    uint8_t start = next_vector;

    if (irq >= NR_IRQS)
        return -EINVAL;
    if (irq_table[irq].vector)
        return irq_table[irq].vector;

    do {
        uint8_t vector = next_vector;

        next_vector = vector == LAST_DYNAMIC_VECTOR ? FIRST_DYNAMIC_VECTOR : vector + 1;
        if (vector_to_irq[vector] == NR_IRQS) {
            vector_to_irq[vector] = irq;
            irq_table[irq].vector = vector;
            return vector;
        }
    } while (next_vector != start);

    return -ENOSPC;
}

int irq_bind_guest(struct domain *d, unsigned int irq, uint16_t pirq)
{
    struct irq_desc *desc;
    int rc = 0;

    if (irq >= NR_IRQS)
        return -EINVAL;

    desc = &irq_table[irq];
    spin_lock(&desc->lock);
    if (desc->status & IRQ_GUEST) {
        rc = -EBUSY;
    } else {
        desc->status = (desc->status & ~IRQ_DISABLED) | IRQ_GUEST;
        desc->guest = d->id;
        desc->guest_pirq = pirq;
        desc->depth = 0;
    }
    spin_unlock(&desc->lock);

    return rc;
}

int irq_unbind_guest(struct domain *d, unsigned int irq)
{
    struct irq_desc *desc = &irq_table[irq];
    int rc = 0;

    spin_lock(&desc->lock);
    if (!(desc->status & IRQ_GUEST)) {
        rc = -EINVAL;
        goto out;
    }

    desc->guest = DOMID_INVALID;
    desc->guest_pirq = 0;
    desc->status &= ~IRQ_GUEST;
    desc->in_flight = 0;
    desc->status |= IRQ_DISABLED;

 out:
    hv_log(LOG_DEBUG, "d%u released irq %u\n", d->id, irq);
    spin_unlock(&desc->lock);

    return rc;
}

void irq_dispatch(uint8_t vector)
{
    unsigned int irq = vector_to_irq[vector];
    struct irq_desc *desc;
    struct domain *d;

    if (irq >= NR_IRQS)
        return;

    desc = &irq_table[irq];
    spin_lock(&desc->lock);
    if (desc->status & IRQ_DISABLED) {
        desc->status |= IRQ_PENDING;
    } else if (desc->status & IRQ_GUEST) {
        d = domain_get(desc->guest);
        if (d) {
            desc->in_flight++;
            evtchn_send(d, desc->guest_pirq);
            domain_put(d);
        }
    }
    spin_unlock(&desc->lock);
}

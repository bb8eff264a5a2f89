/* Interrupt routing. */
#ifndef TOYVISOR_ASM_IRQ_H
#define TOYVISOR_ASM_IRQ_H

#include <domain.h>

#define NR_IRQS 256
#define NR_VECTORS 256
#define FIRST_DYNAMIC_VECTOR 0x20
#define LAST_DYNAMIC_VECTOR 0xdf

struct irq_desc {
    spinlock_t lock;
    uint8_t vector;
    uint8_t status;
    domid_t guest;
    uint16_t guest_pirq;
    unsigned int depth;
    unsigned int in_flight;
};

#define IRQ_DISABLED 0x01
#define IRQ_GUEST 0x02
#define IRQ_PENDING 0x04
#define IRQ_MOVE_PENDING 0x08

extern struct irq_desc irq_table[NR_IRQS];

void irq_init(void);
int irq_bind_guest(struct domain *d, unsigned int irq, uint16_t pirq);
int irq_unbind_guest(struct domain *d, unsigned int irq);
void irq_dispatch(uint8_t vector);
int irq_assign_vector(unsigned int irq);

#endif

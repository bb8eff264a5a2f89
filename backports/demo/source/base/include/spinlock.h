/* Ticket locks. */
#ifndef TOYVISOR_SPINLOCK_H
#define TOYVISOR_SPINLOCK_H

#include <types.h>

typedef struct spinlock {
    uint16_t head;
    uint16_t tail;
} spinlock_t;

void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
bool spin_trylock(spinlock_t *lock);
void spin_lock_init(spinlock_t *lock);

#endif

/* One-shot timers. */
#ifndef TOYVISOR_TIMER_H
#define TOYVISOR_TIMER_H

#include <lib.h>
#include <spinlock.h>

struct timer {
    s_time_t expires;
    void (*function)(void *data);
    void *data;
    unsigned int heap_index;
    unsigned int cpu;
    bool active;
};

#define TIMER_HEAP_MAX 128

struct timer_heap {
    spinlock_t lock;
    struct timer *slot[TIMER_HEAP_MAX + 1];
    unsigned int used;
};

s_time_t now_ns(void);
void timer_init(struct timer *t, void (*function)(void *), void *data, unsigned int cpu);
int timer_set(struct timer *t, s_time_t expires);
void timer_stop(struct timer *t);
void timer_run(unsigned int cpu);

#endif

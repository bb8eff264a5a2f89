/* The credit scheduler. */
#ifndef TOYVISOR_SCHED_H
#define TOYVISOR_SCHED_H

#include <domain.h>

#define NR_CPUS 32
#define SCHED_CREDIT_PER_TICK 100
#define SCHED_CREDIT_CAP 300

struct runqueue {
    spinlock_t lock;
    struct vcpu *head;
    struct vcpu *current;
    unsigned int length;
    uint64_t idle_ticks;
};

extern struct runqueue runqueues[NR_CPUS];
extern unsigned int nr_online_cpus;

void sched_init(unsigned int cpus);
void sched_insert(struct vcpu *v);
void sched_remove(struct vcpu *v);
void sched_tick(unsigned int cpu);
struct vcpu *sched_pick(unsigned int cpu);
int sched_migrate(struct vcpu *v, unsigned int cpu);

#endif

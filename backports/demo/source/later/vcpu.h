/* Virtual processors. */
#ifndef TOYVISOR_VCPU_H
#define TOYVISOR_VCPU_H

#include <lib.h>

struct domain;

enum vcpu_state {
    VCPU_OFFLINE,
    VCPU_RUNNABLE,
    VCPU_RUNNING,
    VCPU_BLOCKED,
};

struct vcpu {
    unsigned int id;
    enum vcpu_state state;
    unsigned int processor;
    int credit;
    uint64_t pending;
    s_time_t last_run;
    struct domain *domain;
    struct vcpu *next;
};

void vcpu_wake(struct vcpu *v);
void vcpu_block(struct vcpu *v);
void vcpu_notify(struct vcpu *v, port_t port);

#endif

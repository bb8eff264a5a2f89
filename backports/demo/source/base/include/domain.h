/* Domains and their virtual processors. */
#ifndef TOYVISOR_DOMAIN_H
#define TOYVISOR_DOMAIN_H

#include <lib.h>
#include <spinlock.h>

#define MAX_VCPUS 64
#define DOMAIN_NAME_MAX 32

struct evtchn;
struct grant_table;
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

enum domain_state {
    DOMAIN_BUILDING,
    DOMAIN_RUNNING,
    DOMAIN_PAUSED,
    DOMAIN_DYING,
    DOMAIN_DEAD,
};

struct domain {
    domid_t id;
    enum domain_state state;
    char name[DOMAIN_NAME_MAX];
    bool privileged;
    unsigned int refcount;

    unsigned int max_vcpus;
    struct vcpu *vcpu[MAX_VCPUS];

    spinlock_t page_lock;
    uint32_t tot_pages;
    uint32_t max_pages;
    uint32_t outstanding_pages;
    uint64_t *p2m;
    uint32_t p2m_entries;

    spinlock_t event_lock;
    struct evtchn *evtchn;
    port_t valid_ports;

    struct grant_table *grants;
    struct domain *next_in_list;
};

struct domain *domain_get(domid_t id);
void domain_put(struct domain *d);
struct domain *domain_create(domid_t id, unsigned int max_vcpus);
int domain_kill(struct domain *d);
void domain_crash(struct domain *d, const char *why);

void vcpu_wake(struct vcpu *v);
void vcpu_block(struct vcpu *v);
void vcpu_notify(struct vcpu *v, port_t port);

#endif

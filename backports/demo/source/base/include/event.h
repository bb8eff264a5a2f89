/* Event channels inside the hypervisor. */
#ifndef TOYVISOR_EVENT_H
#define TOYVISOR_EVENT_H

#include <domain.h>
#include <public/event.h>

#define MAX_EVTCHNS 1024

enum evtchn_state {
    ECS_FREE,
    ECS_RESERVED,
    ECS_UNBOUND,
    ECS_INTERDOMAIN,
    ECS_VIRQ,
};

struct evtchn {
    enum evtchn_state state;
    unsigned int notify_vcpu;
    domid_t remote_dom;
    port_t remote_port;
    unsigned int virq;
};

static inline bool port_is_valid(const struct domain *d, port_t port)
{
    return port < d->valid_ports;
}

int evtchn_init(struct domain *d);
void evtchn_destroy(struct domain *d);
int evtchn_send(struct domain *d, port_t port);
int evtchn_bind_vcpu(struct domain *d, port_t port, unsigned int vcpu_id);
int do_event_channel_op(struct domain *d, uint64_t arg);

#endif

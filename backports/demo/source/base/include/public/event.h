/* Event channel operations, as guests call them. */
#ifndef TOYVISOR_PUBLIC_EVENT_H
#define TOYVISOR_PUBLIC_EVENT_H

#include <types.h>

#define EVTCHNOP_alloc_unbound 0
#define EVTCHNOP_bind_interdomain 1
#define EVTCHNOP_bind_vcpu 2
#define EVTCHNOP_send 3
#define EVTCHNOP_close 4
#define EVTCHNOP_status 5

struct evtchn_op {
    uint32_t cmd;
    port_t port;
    port_t remote_port;
    domid_t remote_dom;
    uint32_t vcpu;
    uint32_t status;
};

#endif

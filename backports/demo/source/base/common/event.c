/*
 * Event channels: the notifications that domains send one another.
 *
 * A port is an index into the domain's array of channels. Every change of a
 * channel happens under the event lock of the domain that owns it; where two
 * domains take part the one with the lower id is locked first.
 */
#include <event.h>
#include <guest.h>

#define EVTCHN_RESERVED_PORTS 1

static struct evtchn *evtchn_from_port(struct domain *d, port_t port)
{
    return &d->evtchn[port];
}

static void double_event_lock(struct domain *first, struct domain *second)
{
    if (first == second) {
        spin_lock(&first->event_lock);
        return;
    }
    if (first->id > second->id) {
        struct domain *swap = first;

        first = second;
        second = swap;
    }
    spin_lock(&first->event_lock);
    spin_lock(&second->event_lock);
}

static void double_event_unlock(struct domain *first, struct domain *second)
{
    spin_unlock(&first->event_lock);
    if (first != second)
        spin_unlock(&second->event_lock);
}

static int evtchn_find_free(struct domain *d)
{
    port_t port;

    for (port = EVTCHN_RESERVED_PORTS; port < d->valid_ports; port++)
        if (evtchn_from_port(d, port)->state == ECS_FREE)
            return port;

    return -ENOSPC;
}

int evtchn_init(struct domain *d)
{
    d->evtchn = hv_alloc(sizeof(struct evtchn) * MAX_EVTCHNS);
    if (!d->evtchn)
        return -ENOMEM;

    mem_set(d->evtchn, 0, sizeof(struct evtchn) * MAX_EVTCHNS);
    spin_lock_init(&d->event_lock);
    d->valid_ports = MAX_EVTCHNS;
    d->evtchn[0].state = ECS_RESERVED;

    return 0;
}

static int evtchn_alloc_unbound(struct domain *d, struct evtchn_op *op)
{
    struct evtchn *chn;
    int port;

    spin_lock(&d->event_lock);

    port = evtchn_find_free(d);
    if (port >= 0) {
        chn = evtchn_from_port(d, port);
        chn->state = ECS_UNBOUND;
        chn->remote_dom = op->remote_dom;
        op->port = port;
        port = 0;
    }

    spin_unlock(&d->event_lock);

    return port;
}

static int evtchn_bind_interdomain(struct domain *d, struct evtchn_op *op)
{
    struct domain *remote = domain_get(op->remote_dom);
    struct evtchn *lchn, *rchn;
    int port, rc = -EINVAL;

    if (!remote)
        return -ESRCH;

    double_event_lock(d, remote);

    port = evtchn_find_free(d);
    if (port < 0) {
        rc = port;
        goto out;
    }

    if (!port_is_valid(remote, op->remote_port))
        goto out;

    rchn = evtchn_from_port(remote, op->remote_port);
    if (rchn->state != ECS_UNBOUND || rchn->remote_dom != d->id)
        goto out;

    lchn = evtchn_from_port(d, port);
    lchn->state = ECS_INTERDOMAIN;
    lchn->remote_dom = remote->id;
    lchn->remote_port = op->remote_port;
    rchn->state = ECS_INTERDOMAIN;
    rchn->remote_port = port;
    op->port = port;
    rc = 0;

 out:
    double_event_unlock(d, remote);
    domain_put(remote);

    return rc;
}

int evtchn_bind_vcpu(struct domain *d, port_t port, unsigned int vcpu_id)
{
    struct evtchn *chn;
    int rc = 0;

    if (vcpu_id >= d->max_vcpus || !d->vcpu[vcpu_id])
        return -ENOENT;

    spin_lock(&d->event_lock);

    chn = evtchn_from_port(d, port);
    switch (chn->state) {
    case ECS_UNBOUND:
    case ECS_INTERDOMAIN:
        chn->notify_vcpu = vcpu_id;
        break;
    case ECS_VIRQ:
        rc = -EBUSY;
        break;
    default:
        rc = -EINVAL;
        break;
    }

    spin_unlock(&d->event_lock);

    return rc;
}

int evtchn_send(struct domain *d, port_t port)
{
    struct evtchn *chn;
    struct domain *remote;
    int rc = 0;

    spin_lock(&d->event_lock);

    if (!port_is_valid(d, port)) {
        spin_unlock(&d->event_lock);
        return -EINVAL;
    }

    chn = evtchn_from_port(d, port);
    switch (chn->state) {
    case ECS_INTERDOMAIN:
        remote = domain_get(chn->remote_dom);
        if (!remote) {
            rc = -ESRCH;
            break;
        }
        vcpu_notify(remote->vcpu[remote->evtchn[chn->remote_port].notify_vcpu], chn->remote_port);
        domain_put(remote);
        break;
    case ECS_UNBOUND:
        /* Nobody listens yet: the event is dropped on purpose. */
        break;
    default:
        rc = -EINVAL;
        break;
    }

    spin_unlock(&d->event_lock);

    return rc;
}

static int evtchn_close(struct domain *d, port_t port)
{
    struct evtchn *chn;
    int rc = 0;

    if (!port_is_valid(d, port))
        return -EINVAL;

    spin_lock(&d->event_lock);
    chn = evtchn_from_port(d, port);
    if (chn->state == ECS_FREE || chn->state == ECS_RESERVED) {
        rc = -EINVAL;
    } else {
        chn->state = ECS_FREE;
        chn->notify_vcpu = 0;
    }
    spin_unlock(&d->event_lock);

    return rc;
}

void evtchn_destroy(struct domain *d)
{
    port_t port;

    for (port = EVTCHN_RESERVED_PORTS; port < d->valid_ports; port++)
        evtchn_close(d, port);

    hv_free(d->evtchn);
    d->evtchn = NULL;
    d->valid_ports = 0;
}

int do_event_channel_op(struct domain *d, uint64_t arg)
{
    struct evtchn_op op;
    int rc;

    if (guest_copy_in(&op, arg, sizeof(op)))
        return -EFAULT;

    switch (op.cmd) {
    case EVTCHNOP_alloc_unbound:
        rc = evtchn_alloc_unbound(d, &op);
        break;
    case EVTCHNOP_bind_interdomain:
        rc = evtchn_bind_interdomain(d, &op);
        break;
    case EVTCHNOP_bind_vcpu:
        rc = evtchn_bind_vcpu(d, op.port, op.vcpu);
        break;
    case EVTCHNOP_send:
        rc = evtchn_send(d, op.port);
        break;
    case EVTCHNOP_close:
        rc = evtchn_close(d, op.port);
        break;
    default:
        rc = -ENOSYS;
        break;
    }

    if (!rc && guest_copy_out(arg, &op, sizeof(op)))
        rc = -EFAULT;

    return rc;
}

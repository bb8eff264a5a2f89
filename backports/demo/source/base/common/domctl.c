/*
 * Control operations: what the tool stack asks of the hypervisor.
 */
#include <guest.h>
#include <sched.h>
#include <asm/paging.h>
#include <public/domctl.h>

#define DOMCTL_INTERFACE_VERSION 7

static int domctl_create(struct domctl *op)
{
    struct domain *d;

    if (op->domain >= DOMID_FIRST_RESERVED)
        return -EINVAL;

    d = domain_create(op->domain, op->arg[0]);

    return d ? 0 : -ENOMEM;
}

static int domctl_set_max_pages(struct domain *d, struct domctl *op)
{
    int rc = -EINVAL;

    spin_lock(&d->page_lock);
    if (op->arg[0] >= d->tot_pages) {
        d->max_pages = op->arg[0];
        rc = 0;
    }
    spin_unlock(&d->page_lock);

    return rc;
}

static int domctl_get_vcpu_info(struct domain *d, struct domctl *op)
{
    struct vcpu *v;

    if (op->arg[0] >= d->max_vcpus)
        return -EINVAL;

    v = d->vcpu[op->arg[0]];
    if (!v)
        return -ESRCH;

    op->arg[1] = v->state;
    op->arg[2] = v->processor;
    op->arg[3] = v->credit;

    return 0;
}

static int domctl_set_name(struct domain *d, struct domctl *op)
{
    char name[DOMAIN_NAME_MAX];

    if (guest_copy_in(name, op->buffer, op->buffer_bytes))
        return -EFAULT;

    mem_copy(d->name, name, sizeof(name));

    return 0;
}

static int domctl_get_page_list(struct domain *d, struct domctl *op)
{
    uint32_t gfn, done = 0;
    uint64_t frame;

    for (gfn = 0; gfn < d->p2m_entries && done < op->arg[0]; gfn++) {
        frame = paging_lookup(d, gfn);
        if (!frame)
            continue;
        if (guest_copy_out(op->buffer + done * sizeof(frame), &frame, sizeof(frame)))
            return -EFAULT;
        done++;
    }
    op->arg[1] = done;

    return 0;
}

static int domctl_set_affinity(struct domain *d, struct domctl *op)
{
    if (op->arg[0] >= d->max_vcpus || !d->vcpu[op->arg[0]])
        return -EINVAL;

    return sched_migrate(d->vcpu[op->arg[0]], op->arg[1]);
}

static int domctl_pause(struct domain *d, bool pause)
{
    if (d->state != (pause ? DOMAIN_RUNNING : DOMAIN_PAUSED))
        return -EINVAL;

    d->state = pause ? DOMAIN_PAUSED : DOMAIN_RUNNING;

    return 0;
}

static int domctl_one(struct domain *d, struct domctl *op)
{
    switch (op->cmd) {
    case DOMCTL_destroy:
        return domain_kill(d);
    case DOMCTL_pause:
        return domctl_pause(d, true);
    case DOMCTL_unpause:
        return domctl_pause(d, false);
    case DOMCTL_set_max_pages:
        return domctl_set_max_pages(d, op);
    case DOMCTL_get_vcpu_info:
        return domctl_get_vcpu_info(d, op);
    case DOMCTL_set_name:
        return domctl_set_name(d, op);
    case DOMCTL_get_page_list:
        return domctl_get_page_list(d, op);
    case DOMCTL_set_affinity:
        return domctl_set_affinity(d, op);
    default:
        return -ENOSYS;
    }
}

int do_domctl(struct domain *caller, uint64_t arg)
{
    struct domctl op;
    struct domain *d;
    int rc;

    if (!caller->privileged)
        return -EPERM;

    if (guest_copy_in(&op, arg, sizeof(op)))
        return -EFAULT;

    if (op.interface_version != DOMCTL_INTERFACE_VERSION)
        return -EACCES;

    if (op.cmd == DOMCTL_create)
        return domctl_create(&op);

    d = domain_get(op.domain);
    if (!d)
        return -ESRCH;

    rc = domctl_one(d, &op);
    domain_put(d);

    if (!rc && guest_copy_out(arg, &op, sizeof(op)))
        rc = -EFAULT;

    return rc;
}

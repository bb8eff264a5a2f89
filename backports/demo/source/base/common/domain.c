/*
 * The life of a domain.
 */
#include <event.h>
#include <grant.h>
#include <sched.h>

static struct domain *domain_list;
static spinlock_t domain_list_lock;

struct domain *domain_get(domid_t id)
{
    struct domain *d;

    spin_lock(&domain_list_lock);
    for (d = domain_list; d; d = d->next_in_list)
        if (d->id == id && d->state != DOMAIN_DEAD)
            break;
    if (d)
        d->refcount++;
    spin_unlock(&domain_list_lock);

    return d;
}

static void domain_free(struct domain *d)
{
    unsigned int i;

    for (i = 0; i < d->max_vcpus; i++)
        hv_free(d->vcpu[i]);
    hv_free(d->p2m);
    hv_free(d);
}

void domain_put(struct domain *d)
{
    bool last;

    spin_lock(&domain_list_lock);
    last = --d->refcount == 0;
    spin_unlock(&domain_list_lock);

    if (last)
        domain_free(d);
}

static struct vcpu *vcpu_create(struct domain *d, unsigned int id)
{
    struct vcpu *v = hv_alloc(sizeof(*v));

    if (!v)
        return NULL;

    mem_set(v, 0, sizeof(*v));
    v->id = id;
    v->domain = d;
    v->state = VCPU_OFFLINE;
    v->processor = id % max_u32(nr_online_cpus, 1);

    return v;
}

struct domain *domain_create(domid_t id, unsigned int max_vcpus)
{
    struct domain *d;
    unsigned int i;

    if (!max_vcpus || max_vcpus > MAX_VCPUS)
        return NULL;

    d = hv_alloc(sizeof(*d));
    if (!d)
        return NULL;

    mem_set(d, 0, sizeof(*d));
    d->id = id;
    d->max_vcpus = max_vcpus;
    d->refcount = 1;
    d->state = DOMAIN_BUILDING;
    spin_lock_init(&d->page_lock);

    for (i = 0; i < max_vcpus; i++) {
        d->vcpu[i] = vcpu_create(d, i);
        if (!d->vcpu[i])
            goto fail;
    }

    if (evtchn_init(d) || grant_table_create(d))
        goto fail;

    spin_lock(&domain_list_lock);
    d->next_in_list = domain_list;
    domain_list = d;
    spin_unlock(&domain_list_lock);

    return d;

 fail:
    domain_free(d);

    return NULL;
}

int domain_kill(struct domain *d)
{
    unsigned int i;

    if (d->state == DOMAIN_DYING || d->state == DOMAIN_DEAD)
        return -EBUSY;

    d->state = DOMAIN_DYING;
    for (i = 0; i < d->max_vcpus; i++)
        sched_remove(d->vcpu[i]);

    evtchn_destroy(d);
    grant_table_destroy(d);
    d->state = DOMAIN_DEAD;
    domain_put(d);

    return 0;
}

void domain_crash(struct domain *d, const char *why)
{
    hv_log(LOG_ERR, "d%u crashed: %s\n", d->id, why);
    d->state = DOMAIN_PAUSED;
}

void vcpu_wake(struct vcpu *v)
{
    if (v->state == VCPU_BLOCKED)
        sched_insert(v);
}

void vcpu_block(struct vcpu *v)
{
    if (v->pending)
        return;

    sched_remove(v);
    v->state = VCPU_BLOCKED;
}

void vcpu_notify(struct vcpu *v, port_t port)
{
    v->pending |= 1ull << (port % 64);
    vcpu_wake(v);
}

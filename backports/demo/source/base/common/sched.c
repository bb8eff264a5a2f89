/*
 * The credit scheduler.
 *
 * Each processor has a queue sorted by credit. A virtual processor burns
 * credit while it runs, and gets it back at every accounting tick.
 */
#include <sched.h>

struct runqueue runqueues[NR_CPUS];
unsigned int nr_online_cpus;

void sched_init(unsigned int cpus)
{
    unsigned int cpu;

    nr_online_cpus = min_u32(cpus, NR_CPUS);
    for (cpu = 0; cpu < nr_online_cpus; cpu++) {
        spin_lock_init(&runqueues[cpu].lock);
        runqueues[cpu].head = NULL;
        runqueues[cpu].length = 0;
    }
}

static void queue_insert_sorted(struct runqueue *rq, struct vcpu *v)
{
    struct vcpu **link = &rq->head;

    while (*link && (*link)->credit >= v->credit)
        link = &(*link)->next;

    v->next = *link;
    *link = v;
    rq->length++;
}

static bool queue_unlink(struct runqueue *rq, struct vcpu *v)
{
    struct vcpu **link = &rq->head;

    while (*link && *link != v)
        link = &(*link)->next;

    if (!*link)
        return false;

    *link = v->next;
    v->next = NULL;
    rq->length--;

    return true;
}

void sched_insert(struct vcpu *v)
{
    struct runqueue *rq = &runqueues[v->processor];

    spin_lock(&rq->lock);
    v->state = VCPU_RUNNABLE;
    queue_insert_sorted(rq, v);
    spin_unlock(&rq->lock);
}

void sched_remove(struct vcpu *v)
{
    struct runqueue *rq = &runqueues[v->processor];

    spin_lock(&rq->lock);
    if (!queue_unlink(rq, v) && rq->current == v)
        rq->current = NULL;
    v->state = VCPU_OFFLINE;
    spin_unlock(&rq->lock);
}

static void burn_credit(struct vcpu *v, s_time_t now)
{
    s_time_t ran = now - v->last_run;
    int spent = ran / 10000;

    v->credit -= spent;
    if (v->credit < -SCHED_CREDIT_CAP)
        v->credit = -SCHED_CREDIT_CAP;
    v->last_run = now;
}

void sched_tick(unsigned int cpu)
{
    struct runqueue *rq = &runqueues[cpu];
    struct vcpu *v;

    spin_lock(&rq->lock);
    if (!rq->head && !rq->current)
        rq->idle_ticks++;
    for (v = rq->head; v; v = v->next) {
        v->credit += SCHED_CREDIT_PER_TICK;
        if (v->credit > SCHED_CREDIT_CAP)
            v->credit = SCHED_CREDIT_CAP;
    }
    spin_unlock(&rq->lock);
}

struct vcpu *sched_pick(unsigned int cpu)
{
    struct runqueue *rq = &runqueues[cpu];
    struct vcpu *next;

    spin_lock(&rq->lock);
    if (rq->current) {
        burn_credit(rq->current, rq->current->last_run + 10000);
        queue_insert_sorted(rq, rq->current);
    }
    next = rq->head;
    if (next) {
        queue_unlink(rq, next);
        next->state = VCPU_RUNNING;
    }
    rq->current = next;
    spin_unlock(&rq->lock);

    return next;
}

int sched_migrate(struct vcpu *v, unsigned int cpu)
{
    struct runqueue *from = &runqueues[v->processor];
    bool queued;

    if (v->state == VCPU_RUNNING)
        return -EBUSY;

    spin_lock(&from->lock);
    queued = queue_unlink(from, v);
    v->processor = cpu;
    spin_unlock(&from->lock);

    if (queued)
        sched_insert(v);

    return 0;
}

unsigned int sched_least_loaded(void)
{
    unsigned int cpu, best = 0;

    for (cpu = 1; cpu < nr_online_cpus; cpu++)
        if (runqueues[cpu].length < runqueues[best].length)
            best = cpu;

    return best;
}

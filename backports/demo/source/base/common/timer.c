/*
 * One-shot timers, kept in a binary heap per processor.
 */
#include <sched.h>
#include <timer.h>

static struct timer_heap heaps[NR_CPUS];

static void heap_swap(struct timer_heap *h, unsigned int a, unsigned int b)
{
    struct timer *t = h->slot[a];

    h->slot[a] = h->slot[b];
    h->slot[b] = t;
    h->slot[a]->heap_index = a;
    h->slot[b]->heap_index = b;
}

static void heap_up(struct timer_heap *h, unsigned int pos)
{
    while (pos > 1 && h->slot[pos]->expires < h->slot[pos / 2]->expires) {
        heap_swap(h, pos, pos / 2);
        pos /= 2;
    }
}

static void heap_down(struct timer_heap *h, unsigned int pos)
{
    for (;;) {
        unsigned int child = pos * 2;

        if (child > h->used)
            return;
        if (child < h->used && h->slot[child + 1]->expires < h->slot[child]->expires)
            child++;
        if (h->slot[pos]->expires <= h->slot[child]->expires)
            return;
        heap_swap(h, pos, child);
        pos = child;
    }
}

void timer_init(struct timer *t, void (*function)(void *), void *data, unsigned int cpu)
{
    t->function = function;
    t->data = data;
    t->cpu = cpu;
    t->active = false;
    t->heap_index = 0;
}

int timer_set(struct timer *t, s_time_t expires)
{
    struct timer_heap *h = &heaps[t->cpu];

    spin_lock(&h->lock);

    t->expires = expires;
    t->active = true;
    h->slot[++h->used] = t;
    t->heap_index = h->used;
    heap_up(h, h->used);

    spin_unlock(&h->lock);

    return 0;
}

static void heap_remove(struct timer_heap *h, struct timer *t)
{
    unsigned int pos = t->heap_index;

    heap_swap(h, pos, h->used);
    h->slot[h->used--] = NULL;
    if (pos <= h->used) {
        heap_up(h, pos);
        heap_down(h, pos);
    }
    t->heap_index = 0;
    t->active = false;
}

void timer_stop(struct timer *t)
{
    struct timer_heap *h = &heaps[t->cpu];

    spin_lock(&h->lock);
    if (t->active)
        heap_remove(h, t);
    spin_unlock(&h->lock);
}

void timer_run(unsigned int cpu)
{
    struct timer_heap *h = &heaps[cpu];
    struct timer *t;

    spin_lock(&h->lock);
    while (h->used && h->slot[1]->expires <= now_ns()) {
        t = h->slot[1];
        heap_remove(h, t);
        spin_unlock(&h->lock);
        t->function(t->data);
        spin_lock(&h->lock);
    }
    spin_unlock(&h->lock);
}

/*
 * The console ring, and what guests may write to it.
 */
#include <console.h>
#include <guest.h>

static char ring[CONSOLE_RING_SIZE];
static uint32_t produced;
static spinlock_t ring_lock;

void console_init(void)
{
    spin_lock_init(&ring_lock);
    produced = 0;
}

void console_put(char c)
{
    ring[produced % CONSOLE_RING_SIZE] = c;
    produced++;
}

int console_guest_write(struct domain *d, uint64_t buffer, uint32_t bytes)
{
    char chunk[64];
    uint32_t i, step;

    while (bytes) {
        step = min_u32(bytes, sizeof(chunk));
        if (guest_copy_in(chunk, buffer, step))
            return -EFAULT;

        spin_lock(&ring_lock);
        for (i = 0; i < step; i++)
            console_put(chunk[i]);
        spin_unlock(&ring_lock);

        buffer += step;
        bytes -= step;
    }
    hv_log(LOG_DEBUG, "d%u wrote to the console\n", d->id);

    return 0;
}

uint32_t console_read(char *out, uint32_t bytes, uint32_t *cursor)
{
    uint32_t copied = 0;

    spin_lock(&ring_lock);
    if (produced - *cursor > CONSOLE_RING_SIZE)
        *cursor = produced - CONSOLE_RING_SIZE;
    while (copied < bytes && *cursor != produced) {
        out[copied++] = ring[*cursor % CONSOLE_RING_SIZE];
        (*cursor)++;
    }
    spin_unlock(&ring_lock);

    return copied;
}

/*
 * Memory, strings and locks without a C library.
 */
#include <device.h>
#include <lib.h>
#include <spinlock.h>

void *mem_set(void *dst, int value, size_t bytes)
{
    uint8_t *out = dst;

    while (bytes--)
        *out++ = value;

    return dst;
}

void *mem_copy(void *dst, const void *src, size_t bytes)
{
    uint8_t *out = dst;
    const uint8_t *in = src;

    while (bytes--)
        *out++ = *in++;

    return dst;
}

size_t str_length(const char *text, size_t limit)
{
    size_t length = 0;

    while (length < limit && text[length])
        length++;

    return length;
}

int str_compare(const char *a, const char *b, size_t limit)
{
    size_t i;

    for (i = 0; i < limit; i++) {
        if (a[i] != b[i])
            return (uint8_t)a[i] < (uint8_t)b[i] ? -1 : 1;
        if (!a[i])
            break;
    }

    return 0;
}

void spin_lock_init(spinlock_t *lock)
{
    lock->head = 0;
    lock->tail = 0;
}

void spin_lock(spinlock_t *lock)
{
    uint16_t ticket = __sync_fetch_and_add(&lock->tail, 1);

    while (READ_ONCE(lock->head) != ticket)
        __builtin_ia32_pause();
}

bool spin_trylock(spinlock_t *lock)
{
    uint16_t ticket = READ_ONCE(lock->head);

    return __sync_bool_compare_and_swap(&lock->tail, ticket, ticket + 1);
}

void spin_unlock(spinlock_t *lock)
{
    __sync_fetch_and_add(&lock->head, 1);
}

void save_put32(struct save_stream *stream, uint32_t value)
{
    if (stream->size - stream->position < sizeof(value)) {
        stream->overflow = true;
        return;
    }
    mem_copy(stream->data + stream->position, &value, sizeof(value));
    stream->position += sizeof(value);
}

uint32_t save_get32(struct save_stream *stream)
{
    uint32_t value = 0;

    if (stream->size - stream->position < sizeof(value)) {
        stream->overflow = true;
        return 0;
    }
    mem_copy(&value, stream->data + stream->position, sizeof(value));
    stream->position += sizeof(value);

    return value;
}

/* Small helpers that need no state. */
#ifndef TOYVISOR_LIB_H
#define TOYVISOR_LIB_H

#include <errno.h>
#include <types.h>

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#define BUG_ON(cond) do { if (cond) hv_panic(__FILE__, __LINE__); } while (0)
#define READ_ONCE(x) (*(volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define min_u32(a, b) ((uint32_t)(a) < (uint32_t)(b) ? (uint32_t)(a) : (uint32_t)(b))
#define max_u32(a, b) ((uint32_t)(a) > (uint32_t)(b) ? (uint32_t)(a) : (uint32_t)(b))

#define LOG_ERR 0
#define LOG_WARN 1
#define LOG_INFO 2
#define LOG_DEBUG 3

void hv_panic(const char *file, int line);
void hv_log(int level, const char *fmt, ...);
void *hv_alloc(size_t bytes);
void hv_free(void *ptr);
void *mem_set(void *dst, int value, size_t bytes);
void *mem_copy(void *dst, const void *src, size_t bytes);
size_t str_length(const char *text, size_t limit);
int str_compare(const char *a, const char *b, size_t limit);

static inline bool test_bit(unsigned int nr, const uint64_t *map)
{
    return (map[nr / 64] >> (nr % 64)) & 1;
}

static inline void set_bit(unsigned int nr, uint64_t *map)
{
    map[nr / 64] |= 1ull << (nr % 64);
}

static inline void clear_bit(unsigned int nr, uint64_t *map)
{
    map[nr / 64] &= ~(1ull << (nr % 64));
}

#endif

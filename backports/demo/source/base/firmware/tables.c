/*
 * Firmware tables that a guest finds at boot.
 */
#include <lib.h>

#define TABLE_AREA_BYTES 65536
#define TABLE_HEADER_BYTES 36

struct table_header {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem[6];
};

struct table_area {
    uint8_t *base;
    uint32_t used;
};

static uint8_t table_checksum(const uint8_t *data, uint32_t length)
{
    uint8_t sum = 0;

    while (length--)
        sum += *data++;

    return -sum;
}

static void *table_reserve(struct table_area *area, uint32_t bytes)
{
    void *slot;

    slot = area->base + area->used;
    area->used += (bytes + 15) & ~15u;

    return slot;
}

int table_add(struct table_area *area, const char *signature, const void *body, uint32_t bytes)
{
    struct table_header *header;

    header = table_reserve(area, TABLE_HEADER_BYTES + bytes);
    if (!header)
        return -ENOSPC;

    mem_set(header, 0, TABLE_HEADER_BYTES);
    mem_copy(header->signature, signature, 4);
    header->length = TABLE_HEADER_BYTES + bytes;
    header->revision = 1;
    mem_copy((uint8_t *)header + TABLE_HEADER_BYTES, body, bytes);
    header->checksum = table_checksum((const uint8_t *)header, header->length);

    return 0;
}

const struct table_header *table_find(const struct table_area *area, const char *signature)
{
    uint32_t offset = 0;

    while (offset + TABLE_HEADER_BYTES <= area->used) {
        const struct table_header *header = (const void *)(area->base + offset);

        if (!str_compare(header->signature, signature, 4))
            return header;
        offset += (header->length + 15) & ~15u;
    }

    return NULL;
}

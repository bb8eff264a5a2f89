/* What every emulated device offers. */
#ifndef TOYVISOR_DEVICE_H
#define TOYVISOR_DEVICE_H

#include <lib.h>

struct save_stream {
    uint8_t *data;
    size_t size;
    size_t position;
    bool overflow;
};

struct device_register {
    const char *name;
    uint32_t offset;
    uint32_t mask;
    uint32_t reset;
};

void save_put32(struct save_stream *stream, uint32_t value);
uint32_t save_get32(struct save_stream *stream);
void device_raise_irq(unsigned int line, bool level);
void device_log(const char *device, const char *what, uint32_t offset, uint32_t value);

#endif

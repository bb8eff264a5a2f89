/* The hypervisor's console ring. */
#ifndef TOYVISOR_CONSOLE_H
#define TOYVISOR_CONSOLE_H

#include <domain.h>

#define CONSOLE_RING_SIZE 4096

void console_init(void);
void console_put(char c);
int console_guest_write(struct domain *d, uint64_t buffer, uint32_t bytes);
uint32_t console_read(char *out, uint32_t bytes, uint32_t *cursor);

#endif

/* Control operations for the tool stack. */
#ifndef TOYVISOR_PUBLIC_DOMCTL_H
#define TOYVISOR_PUBLIC_DOMCTL_H

#include <types.h>

#define DOMCTL_create 1
#define DOMCTL_destroy 2
#define DOMCTL_pause 3
#define DOMCTL_unpause 4
#define DOMCTL_set_max_pages 5
#define DOMCTL_get_vcpu_info 6
#define DOMCTL_set_name 7
#define DOMCTL_get_page_list 8
#define DOMCTL_set_affinity 9

struct domctl {
    uint32_t cmd;
    uint32_t interface_version;
    domid_t domain;
    uint16_t pad;
    uint32_t arg[4];
    uint64_t buffer;
    uint32_t buffer_bytes;
};

#endif

/*
 * toyctl: the command line tool.
 */
#include <lib.h>
#include <public/domctl.h>

struct command {
    const char *name;
    uint32_t cmd;
    unsigned int arguments;
    const char *help;
};

static const struct command commands[] = {
    { "create", DOMCTL_create, 2, "create a domain with so many processors" },
    { "destroy", DOMCTL_destroy, 1, "destroy a domain at once" },
    { "pause", DOMCTL_pause, 1, "stop a domain's processors" },
    { "unpause", DOMCTL_unpause, 1, "let a paused domain run again" },
    { "mem-max", DOMCTL_set_max_pages, 2, "limit a domain's memory, in pages" },
    { "vcpu-info", DOMCTL_get_vcpu_info, 2, "show where a virtual processor runs" },
    { "rename", DOMCTL_set_name, 2, "give a domain a name" },
    { "vcpu-pin", DOMCTL_set_affinity, 3, "move a virtual processor" },
};

static int parse_number(const char *text, uint32_t *out)
{
    uint32_t value = 0;

    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        value = value * 10 + (*text - '0');
    }
    *out = value;

    return 0;
}

static const struct command *find_command(const char *name)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(commands); i++)
        if (!str_compare(commands[i].name, name, 32))
            return &commands[i];

    return NULL;
}

static void usage(void)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(commands); i++)
        hv_log(LOG_INFO, "%s: %s\n", commands[i].name, commands[i].help);
}

int toyctl(int argc, char **argv)
{
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
    struct domctl op = { .interface_version = 7 };
    uint32_t number;
    int i;

    if (!command || argc != (int)command->arguments + 2) {
        usage();
        return 2;
    }

    op.cmd = command->cmd;
    for (i = 2; i < argc; i++) {
        if (parse_number(argv[i], &number))
            return 2;
        if (i == 2)
            op.domain = number;
        else
            op.arg[i - 3] = number;
    }

    return op.cmd ? 0 : 1;
}

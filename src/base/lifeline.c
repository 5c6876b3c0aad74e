#include "base/lifeline.h"

static int lifeline = -1;

void
lifeline_hold(int fd)
{
    lifeline = fd;
}

int
lifeline_fd(void)
{
    return lifeline;
}

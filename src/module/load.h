/*
 * Shared objects that hold handlers: found, opened, checked.
 */
#ifndef PGCREW_MODULE_LOAD_H
#define PGCREW_MODULE_LOAD_H

#include "base/err.h"
#include "config/conf.h"
#include "pgcrew/handler.h"

/*
 * The function that runs jobs of h (a CONF_MODULE).  The module stays open as long as the
 * process; asked for by two handlers, it is the same.  begin() has not been called.
 * ERR_CONFIG says what is wrong with it.
 */
bool module_load(const struct handler_conf *h, const struct pgcrew_module **ret_module,
                 pgcrew_run **ret_run, struct err *err) MUST_CHECK;

#endif

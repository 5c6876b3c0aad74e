#include "cli/change.h"

#include <string.h>

#include "cli/values.h"

enum cli_exit
change_named(struct cli *cli, const struct args *args, const char *sql, bool with_who,
             const char *list, const struct column *columns)
{
    AUTO(result) PGresult *res = NULL;
    enum cli_exit status = CLI_DONE;
    struct params p;

    params_init(&p);
    param_texts(&p, args->words, args->n_words);
    if (with_who)
        param_text(&p, cli_who(cli));
    res = cli_query(cli, sql, &p);
    if (res == NULL)
        return cli->status;
    for (int row = 0; row < PQntuples(res); row++) {
        if (strcmp(row_text(res, row, 1), "unknown") == 0)
            status = CLI_NOT_DONE;
    }
    out_list(cli, list, value_from_rows(res), columns);
    return status;
}

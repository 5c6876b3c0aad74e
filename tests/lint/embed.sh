#!/usr/bin/env bash
# SQL files arrive in the C text to the letter, in the order of their numbers.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
mkdir -p src/queue/sql src/cli/sql src/db/sql migrations

printf -- '-- claim: a comment\n-- $1 bigint\n\nselect 1;\n-- inner\nselect 2;\n' \
    >src/queue/sql/claim.sql
printf 'select why;\n' >src/cli/sql/why.sql
printf 'select 3;\n' >src/db/sql/probe.sql
# What C would change: backslashes, quotes, trigraphs, tabs, percent signs, long files.
printf '%s\n' '-- kept: \n "quoted" ??= ?? %s %% \\ \' 'select E'"'"'\x41'"'"';' '	tab' \
    >migrations/004_x.sql
seq 20000 | sed 's/^/-- line /' >>migrations/004_x.sql
echo 'select 10;' >migrations/010_z.sql
echo 'select 0;' >migrations/000_a.sql
files=(src/queue/sql/claim.sql src/cli/sql/why.sql src/db/sql/probe.sql
    migrations/010_z.sql migrations/004_x.sql migrations/000_a.sql)

awk -v part=h -f "$top/src/embed.awk" "${files[@]}" >sqltext.h
awk -v part=c -f "$top/src/embed.awk" "${files[@]}" >sqltext.c
cat >print.c <<'END'
#include "sqltext.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
    for (size_t i = 0; i < n_migrations; i++) {
        if (argc > 1 && strcmp(argv[1], migrations[i].file) == 0)
            fputs(migrations[i].text, stdout);
        else if (argc == 1)
            printf("%d %s\n", migrations[i].version, migrations[i].file);
    }
    if (argc > 1 && strcmp(argv[1], "statements") == 0)
        printf("%s%s%s", sql_claim, sql_cli_why, sql_db_probe);
    return 0;
}
END

ok "the C text compiles without a warning" cc -std=c17 -trigraphs -Wall -Wextra -Wpedantic \
    -Wno-trigraphs -Werror -o print print.c sqltext.c
is "$(./print)" "$(printf '0 000_a.sql\n4 004_x.sql\n10 010_z.sql')" \
    "migrations come in the order of their numbers"
./print 004_x.sql >out
ok "a migration is kept to the letter" cmp out migrations/004_x.sql
is "$(./print statements)" "$(printf 'select 1;\n-- inner\nselect 2;\nselect why;\nselect 3;')" \
    "a statement loses the comment at its top, and is named by its room"

done_testing

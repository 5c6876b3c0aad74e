#!/usr/bin/env bash
# The Supabase SQL editor blocks what looks dangerous to it: our files must not.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
# Its rules, as of mid-2026, on the text without comments: no statement of the words
# below, be it inside a function; no update without where; no table without row level
# security in the same text.

offending() {
    perl -0777 -ne '
        s/--[^\n]*//g; s{/\*.*?\*/}{}gs;
        my $text = $_;
        print "statement: $1\n" while $text =~ /(?:\A|;)\s*((?:drop|delete|truncate)\s[^\n]*)/gi;
        print "drops a column\n" if $text =~ /alter\s+table\s.*\sdrop\s+column\s/is;
        print "execute: $1\n"
            while $text =~ /execute\s+(?:format\s*\([^)]*\)\s*\|\||format\s*\(|immediate\s|concat(?:_ws)?\s*\(|e(?=['"'"'"]))?[^;]*?['"'"'"\$]\s*((?:drop|delete|truncate)\b)/gis;
        for my $statement (split /;/, $text) {
            print "update without where: $statement\n"
                if $statement =~ /^\s*update\s/i && $statement !~ /\bwhere\s/i;
            print "database: $statement\n" if $statement =~ /^\s*alter\s+database/i;
        }
        my %safe = map { lc($_) => 1 } $text =~ /alter\s+table\s+([\w.]+)\s+enable\s+row\s+level\s+security/gi;
        for my $table ($text =~ /create\s+table\s+(?:if\s+not\s+exists\s+)?([\w.]+)/gi) {
            print "no row level security: $table\n" unless $safe{lc $table};
        }
        print "transaction: $1\n" while $text =~ /(?:\A|;)\s*(begin\s*;|commit|rollback)/gi;
        print "concurrently\n" if $text =~ /\bconcurrently\b/i;
        print "psql command: $1\n" while $text =~ /^\s*(\\\w+)/gm;
        print "secret: $1\n" while $text =~ /(\bpassword\s+'"'"'[^'"'"']*)/gi;
    ' "$@"
}

for file in "$repo"/migrations/[0-9]*.sql; do
    is "$(offending "$file")" '' "${file##*/} passes the editor"
done

# The rules do find what they are for.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
while IFS= read -r bad; do
    n=$((n + 1))
    printf '%s\n' "$bad" >"$dir/$n.sql"
    not_ok "caught: $bad" test -z "$(offending "$dir/$n.sql")"
done <<'END'
drop table x;
select 1; delete from x where true;
create function f() returns void as $$ begin perform 1; truncate x; end $$ language plpgsql;
update x set a = 1;
create table x (a int);
do $$ begin execute 'drop table x'; end $$;
create index concurrently i on x (a);
select 1; commit;
\set a b
alter role x password 'y';
END

done_testing

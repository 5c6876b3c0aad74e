# SQL files to C text.
#
#   awk -v part=h|c -f src/embed.awk src/queue/sql/claim.sql ... migrations/004_x.sql ...
#
# src/queue/sql/claim.sql    extern const char sql_claim[];
# src/cli/sql/why.sql        extern const char sql_cli_why[];
# migrations/004_x.sql       a row of migrations[], in the order of the numbers
#
# Migrations are kept to the letter.  Statements lose the comment at their top,
# which is for readers of the file, not for the server.

function literal(line)
{
    gsub(/\\/, "\\\\&", line)
    gsub(/"/, "\\\"", line)
    gsub(/\t/, "\\t", line)
    gsub(/\r/, "\\r", line)
    gsub(/\?\?/, "?\\?", line)    # no trigraphs
    return "    \"" line "\\n\"\n"
}

function c_name(path,    parts, n, name)
{
    n = split(path, parts, "/")
    name = parts[n]
    sub(/\.sql$/, "", name)
    gsub(/[^A-Za-z0-9_]/, "_", name)
    if (parts[n - 1] == "sql" && parts[n - 2] == "queue")
        return "sql_" name
    if (parts[n - 1] == "sql")
        return "sql_" parts[n - 2] "_" name
    return "migration_" name
}

FNR == 1 {
    files[++n_files] = FILENAME
    is_migration[n_files] = FILENAME ~ /(^|\/)migrations\//
    at_top = !is_migration[n_files]
}
at_top && (/^--/ || /^[ \t]*$/) { next }
{
    at_top = 0
    text[n_files] = text[n_files] literal($0)
}

END {
    print "/* Made by src/embed.awk from the .sql files; change those. */"
    if (part == "h")
        print_header()
    else
        print_source()
}

function print_header(    i)
{
    print "#ifndef PGCREW_SQLTEXT_H"
    print "#define PGCREW_SQLTEXT_H"
    print ""
    print "#include <stddef.h>"
    print ""
    for (i = 1; i <= n_files; i++) {
        if (!is_migration[i])
            print "extern const char " c_name(files[i]) "[];"
    }
    print ""
    print "struct migration {"
    print "    int version;      /* the number its name starts with */"
    print "    const char *file; /* without folder */"
    print "    const char *text;"
    print "};"
    print "extern const struct migration migrations[]; /* in the order of versions */"
    print "extern const size_t n_migrations;"
    print ""
    print "#endif"
}

function print_source(    i, j, n, order, held)
{
    print "#include \"sqltext.h\""
    print ""
    print "/* Longer than C promises for a literal; both gcc and clang take it. */"
    print "#pragma GCC diagnostic ignored \"-Woverlength-strings\""
    for (i = 1; i <= n_files; i++) {
        printf "\n%sconst char %s[] =\n%s    ;\n", is_migration[i] ? "static " : "",
               c_name(files[i]), text[i] == "" ? "    \"\"\n" : text[i]
        if (is_migration[i])
            order[++n] = i
    }
    for (i = 2; i <= n; i++) {
        held = order[i]
        for (j = i - 1; j >= 1 && version(files[order[j]]) > version(files[held]); j--)
            order[j + 1] = order[j]
        order[j + 1] = held
    }
    print "\nconst struct migration migrations[] = {"
    for (i = 1; i <= n; i++)
        printf "    {%d, \"%s\", %s},\n", version(files[order[i]]), base(files[order[i]]),
               c_name(files[order[i]])
    if (n == 0)
        print "    {0, NULL, NULL},"
    print "};"
    printf "const size_t n_migrations = %d;\n", n
}

function base(path)
{
    sub(/.*\//, "", path)
    return path
}

function version(path)
{
    return base(path) + 0
}

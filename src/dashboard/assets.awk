# Files of the dashboard's pages to C text.
#
#   for f in FILES; do echo "file $f"; od -An -v -tu1 "$f"; done | awk -f src/dashboard/assets.awk
#
# A row of assets[] for each, under its name without folders, in the order they came.

BEGIN {
    print "/* Made by src/dashboard/assets.awk from the files in www; change those. */"
    print "#include \"dashboard/assets.h\""
}

$1 == "file" {
    end_file()
    n = split($2, parts, "/")
    names[++n_files] = parts[n]
    printf "\nstatic const unsigned char file_%d[] = {", n_files
    next
}

{
    sizes[n_files] += NF
    gsub(/ +/, ",")
    print substr($0, 2) ","
}

# An array must not be empty: the byte more is not counted.
function end_file()
{
    if (n_files > 0)
        print "0};"
}

END {
    end_file()
    print "\nconst struct asset assets[] = {"
    for (i = 1; i <= n_files; i++)
        printf "    {\"%s\", file_%d, %d},\n", names[i], i, sizes[i]
    print "};"
    printf "const size_t n_assets = %d;\n", n_files
}

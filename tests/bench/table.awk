# Tries of figures (name, value, unit, limit; by tabs) to a table, and to a line of JSON each.
function median(list, n,    i, j, t) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
            t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
        }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

!($1 in count) { order[++names] = $1; unit[$1] = $3 }
{
    n = ++count[$1]
    value[$1, n] = $2 + 0
    if ($4 > 0) ratio[$1, ++ratios[$1]] = $2 / $4
}

END {
    gsub(/;$/, "", settings)
    printf "%-48s %12s %-10s %-23s %s\n", "figure", "median", "unit", "lowest to highest", "of limit"
    for (k = 1; k <= names; k++) {
        name = order[k]
        delete list
        for (i = 1; i <= count[name]; i++) list[i] = value[name, i]
        m = median(list, count[name]); low = list[1]; high = list[count[name]]
        delete list
        for (i = 1; i <= ratios[name]; i++) list[i] = ratio[name, i]
        of = ratios[name] ? sprintf("%.3f", median(list, ratios[name])) : ""
        printf "%-48s %12.2f %-10s %10.2f to %-10.2f %s\n", name, m, unit[name], low, high, of
        printf "{\"name\": \"%s\", \"value\": %.3f, \"unit\": \"%s\", \"of_limit\": %s, \"lowest\": %.3f, \"highest\": %.3f, " \
               "\"tries\": %d, \"commit\": \"%s\", \"machine\": {\"cores\": %d, \"cpu\": \"%s\", " \
               "\"memory_gib\": %d, \"kernel\": \"%s\", \"postgresql\": \"%s\"}, " \
               "\"settings\": \"%s\"}\n", name, m, unit[name], of == "" ? "null" : of, low, high,
               count[name], commit, cores, cpu, memory, kernel, server, settings >>out
    }
    print "# also in " out
}

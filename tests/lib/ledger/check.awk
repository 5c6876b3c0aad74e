# Judge a ledger.  awk -f check.awk entered jobs lines: ids that were acknowledged when they
# were entered; "id status attempts kind" of every row of public.jobs; what handlers wrote.
#
# A line "NAME NUMBER" each.  All must be 0 but jobs, attempts, given_back and, where daemons
# were told to stop, done_again: a handler may have written its last line and not ended yet.
FILENAME == ARGV[1] { entered[$1]; next }
FILENAME == ARGV[2] { status[$1] = $2; charged[$1] = $3; kind[$1] = $4; next }
{
    if (!($2 in entered)) unknown++
    if ($3 != 1) charged_early++ # every attempt must be a first one
}
$1 == "twice" { twice++ }
$1 == "begin" { begun[$2]++; attempts++; open[$2]++ }
$1 == "end"   { ended[$2]++ }
END {
    for (id in entered) {
        jobs++
        if (!(id in status)) { lost++; continue }
        if (status[id] != "succeeded") not_ended++
        if (charged[id] != 1) wrongly_charged++
        # What SQL functions do is in the database, see the caller.
        if (kind[id] == "sql") continue
        if (!ended[id]) no_effect++
        if (ended[id] > 1) done_again++
        if (begun[id] > 1) given_back += begun[id] - 1
    }
    for (id in status) if (!(id in entered)) unexpected++
    print "jobs", jobs + 0
    print "attempts", attempts + 0
    print "given_back", given_back + 0
    print "lost", lost + 0
    print "not_ended", not_ended + 0
    print "no_effect", no_effect + 0
    print "concurrent", twice + 0
    print "done_again", done_again + 0
    print "charged", wrongly_charged + charged_early + 0
    print "unexpected", unexpected + unknown + 0
}

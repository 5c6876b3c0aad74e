"""Tells all lies: a line each of what is promised, what was seen, what should be."""

from lies import results

for what, found, wanted in results():
    print(what, ", ".join(found) or "nothing", ", ".join(wanted) or "nothing", sep="\t")

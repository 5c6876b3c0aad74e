"""The command line."""

import argparse
import os
import random
import signal
import sys

from faults import faults_of
from harness.cluster import Cluster
from harness.trial import Trial
from mutants import mutants
from worlds import worlds

# Exit status: this machine cannot have such a world.
SKIPPED = 77


def parse():
    parser = argparse.ArgumentParser(
        prog="tests/chaos/run",
        description="Run jobs under faults and check from ledgers that none was lost or done wrongly. "
                    "Exit status 1: something was violated.")
    parser.add_argument("--seconds", type=float, default=60, help="so long jobs and faults come (60)")
    parser.add_argument("--seed", type=int, help="decides what comes when; printed when not given")
    parser.add_argument("--world", default="plain", help="what it happens in: " + ", ".join(worlds()))
    parser.add_argument("--faults", help="only these, by name, with commas; 'none'; 'own': the world's")
    parser.add_argument("--at-once", type=int, default=3, help="so many faults may last at a time (3)")
    parser.add_argument("--gap", type=float, default=1.4, help="seconds between faults (1.4)")
    parser.add_argument("--daemons", type=int, help="1 to 3 supervisors on one database (by the seed)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of each (2)")
    parser.add_argument("--jobs-rate", type=float, default=25, help="jobs a second (25)")
    parser.add_argument("--drain", type=float, default=60, help="jobs have so long to end afterwards (60)")
    parser.add_argument("--mutant", help="break pgcrew on purpose: " + ", ".join(mutants()))
    parser.add_argument("--until-seen", action="store_true",
                        help="the run ends when the rules that must see the mutant have; without a mutant: any")
    parser.add_argument("--template", help="a folder in which the first of several runs leaves a new cluster for all")
    parser.add_argument("--report", help="write the figures to this file, as JSON")
    parser.add_argument("--keep", action="store_true", help="keep ledgers, logs and the database's folder")
    parser.add_argument("--list", action="store_true", help="the faults of the world, and no more")
    parser.add_argument("--list-mutants", action="store_true",
                        help="with the seconds and faults each needs and the rules that must see it")
    parser.add_argument("--build", default=os.environ.get("PGCREW_BUILD"), help="PGCREW_BUILD")
    args = parser.parse_args()
    if args.world not in worlds():
        parser.error(f"there is no world '{args.world}'")
    if args.mutant and args.mutant not in mutants():
        parser.error(f"there is no mutant '{args.mutant}'")
    return parser, args


def chosen_faults(parser, args):
    all_of_them = faults_of(args.world)
    if args.faults is None:
        return all_of_them
    if args.faults == "none":
        return {}
    if args.faults == "own":
        return {name: fault for name, fault in all_of_them.items() if fault.worlds is not None}
    wanted = [name.strip() for name in args.faults.split(",")]
    for name in wanted:
        if name not in all_of_them:
            parser.error(f"there is no fault '{name}' in this world, but: " + ", ".join(all_of_them))
    return {name: all_of_them[name] for name in wanted}


def main():
    parser, args = parse()
    faults = chosen_faults(parser, args)
    if args.list:
        print("\n".join(faults))
        return 0
    if args.list_mutants:
        for name, mutant in mutants().items():
            print(name, mutant.seconds, ",".join(mutant.faults) or "none", ",".join(mutant.caught_by), sep="\t")
        return 0
    if not args.build:
        parser.error("--build or PGCREW_BUILD must name the build folder")
    args.build = os.path.realpath(args.build)
    Cluster.template = args.template and os.path.abspath(args.template)
    world = worlds()[args.world]
    if why_not := world.why_not():
        print(f"1..0 # SKIP {why_not}")
        return SKIPPED
    world.prepare()
    if args.seed is None:
        args.seed = random.SystemRandom().randrange(1 << 31)
    # Whatever ends us, what we have started ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return Trial(args, world, faults).run()

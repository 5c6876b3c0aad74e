"""Which faults come when: decided by the seed alone, before anything is started."""

import dataclasses
import random

# The daemons get so long to come up.
BEGIN_S = 2.0


@dataclasses.dataclass
class Planned:
    at_s: float
    hold_s: float
    name: str
    seed: int  # of what the fault itself chooses

    def __str__(self):
        return f"{self.at_s:8.2f} s  {self.name}" + (f", {self.hold_s:.2f} s" if self.hold_s else "")


def plan(seed, seconds, faults, most, gap_s):
    """faults: classes by name.  most: so many at most last at a time.  gap_s: between two, on average."""
    rng = random.Random(seed)
    names = sorted(faults)
    weights = [faults[name].weight for name in names]
    planned, at = [], BEGIN_S
    while names and at < seconds - 1:
        name = rng.choices(names, weights)[0]
        hold = rng.uniform(*faults[name].hold_s)
        entry = Planned(round(at, 3), round(min(hold, seconds - at), 3), name, rng.getrandbits(32))
        lasting = [p for p in planned if p.at_s + p.hold_s > at]
        if len(lasting) < most and not _meets(faults, lasting, name):
            planned.append(entry)
        at += rng.uniform(0.2 * gap_s, 1.8 * gap_s)
    return planned


def _meets(faults, lasting, name):
    return any(faults[name].touches and faults[p.name].touches == faults[name].touches for p in lasting)

"""Things that are found by the modules of a folder: worlds, faults, mutants."""

import importlib
import pkgutil


def find(package, base):
    """The named subclasses of base in the modules of a package, by name."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    found, left = {}, [base]
    while left:
        cls = left.pop()
        left += cls.__subclasses__()
        if cls.__dict__.get("name"):
            found[cls.name] = cls
    return dict(sorted(found.items()))

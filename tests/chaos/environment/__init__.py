"""What stands between pgcrew and its database, and below both: things that can break.

Each module is one such thing with verbs of its own; the faults that use them are in
tests/chaos/faults.
"""

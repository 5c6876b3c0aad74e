"""What a mutant is: it changes the world after the schema is there, before daemons start."""


class Mutant:
    name = ""
    faults = None  # which faults it needs to show, by name; None: all
    caught_by = () # rules of the checker, one of which must see it

    def apply(self, world):
        raise NotImplementedError

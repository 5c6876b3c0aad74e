"""The cable between a daemon and the database."""

from faults.fault import Fault, Hit


class Cable(Fault):
    worlds = ("network",)
    touches = "network"

    @staticmethod
    def harm(link, rng):
        raise NotImplementedError

    def apply(self, world, rng):
        daemon = self.a_daemon(world, rng)
        if daemon is None:
            return None
        self.link = world.links[daemon.number]
        what = self.harm(self.link, rng)
        return Hit(f"the cable of {daemon.name}" + (f", {what}" if what else ""), [daemon])

    def lift(self, world):
        self.link.heal()


class Cut(Cable):
    """Long ones are longer than a half-open connection may stay unnoticed."""

    name = "network cut"
    hold_s = (0.5, 14)
    weight = 3

    @staticmethod
    def harm(link, rng):
        link.cut()


class Deaf(Cable):
    name = "network one way"
    hold_s = (0.5, 8)
    weight = 2

    @staticmethod
    def harm(link, rng):
        link.deafen()


class Reset(Cable):
    name = "network reset"
    hold_s = (0.3, 4)
    weight = 2

    @staticmethod
    def harm(link, rng):
        link.refuse()


class Loss(Cable):
    name = "network loss"
    hold_s = (2, 8)

    @staticmethod
    def harm(link, rng):
        share = rng.uniform(0.05, 0.4)
        link.lose(share)
        return f"{share:.0%}"


class Slow(Cable):
    name = "network slow"
    hold_s = (2, 8)

    @staticmethod
    def harm(link, rng):
        kbit = rng.choice([32, 64, 256])
        link.slow(kbit)
        return f"{kbit} kbit/s"

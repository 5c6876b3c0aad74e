"""The network between a daemon's machine and that of the database, which is ours.

The daemon's is a namespace without a name that a process of ours holds: it and the cable
are gone when the last process in it is, however that ended.
"""

import shutil
import subprocess

TOOLS = ("ip", "tc", "iptables", "nsenter", "unshare", "setpriv")
EVERYBODY = "10.231.0.0/16"


def why_not():
    """Why this machine cannot have one; None when it can."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return "not installed: " + " ".join(missing)
    tried = subprocess.run(["unshare", "--net", "iptables", "-L"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "no network namespaces with iptables for us here"


def run(*argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)


class Link:
    """One cable. Our side is in the network namespace of whoever makes it."""

    def __init__(self, number):
        self.ours, self.theirs = f"chaos{number}a", f"chaos{number}b"
        self.database, self.daemon = f"10.231.{number}.1", f"10.231.{number}.2"
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c",
             "echo; exec sleep infinity"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.holder.stdout.readline()  # it is in its namespace now
        self.enter = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--"]
        run("ip", "link", "add", self.ours, "type", "veth", "peer", "name", self.theirs,
            "netns", str(self.holder.pid))
        self._up([], self.ours, self.database)
        self._up(self.enter, self.theirs, self.daemon)

    @staticmethod
    def _up(enter, name, address):
        run(*enter, "ip", "link", "set", "lo", "up")
        run(*enter, "ip", "address", "add", address + "/30", "dev", name)
        run(*enter, "ip", "link", "set", name, "up")

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()

    def _arriving(self, *rule):
        """A rule for what comes out of the cable, at both ends of it."""
        for enter, name in (([], self.ours), (self.enter, self.theirs)):
            run(*enter, "iptables", "-w", "-A", "INPUT", "-i", name, *rule)

    def heal(self):
        """Everything passes again, at full speed."""
        run(*self.enter, "iptables", "-w", "-F")
        rules = subprocess.run(["iptables", "-w", "-S", "INPUT"], check=True, capture_output=True,
                               text=True).stdout.splitlines()
        for rule in rules:
            words = rule.split()
            if self.ours in words:
                run("iptables", "-w", "-D", *words[1:])
        for enter, name in (([], self.ours), (self.enter, self.theirs)):
            subprocess.run([*enter, "tc", "qdisc", "del", "dev", name, "root"],
                           capture_output=True, check=False)

    def cut(self):
        """Nothing passes, and neither side hears of it: connections are half open."""
        self._arriving("-j", "DROP")

    def deafen(self):
        """What the database says is lost, what the daemon says arrives."""
        run(*self.enter, "iptables", "-w", "-A", "INPUT", "-i", self.theirs, "-j", "DROP")

    def refuse(self):
        """Each side is answered with a reset, as by a firewall that forgot the connection."""
        self._arriving("-p", "tcp", "-j", "REJECT", "--reject-with", "tcp-reset")

    def lose(self, share):
        """This share of packets is lost, each way."""
        self._arriving("-m", "statistic", "--mode", "random", "--probability", f"{share:.3f}", "-j", "DROP")

    def slow(self, kbit):
        """A thin cable; what does not fit waits up to two seconds for its turn."""
        for enter, name in (([], self.ours), (self.enter, self.theirs)):
            run(*enter, "tc", "qdisc", "replace", "dev", name, "root", "tbf",
                "rate", f"{kbit}kbit", "burst", "4kb", "latency", "2s")

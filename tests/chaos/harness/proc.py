"""What /proc says."""

import os


def _stat(pid):
    """Name, state and parent; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    begin, end = text.index("("), text.rindex(")")
    rest = text[end + 2:].split()
    return text[begin + 1:end], rest[0], int(rest[1])


def name(pid):
    stat = _stat(pid)
    return stat[0] if stat else ""


def is_there(pid):
    """Zombies are not."""
    stat = _stat(pid)
    return stat is not None and stat[1] not in "ZX"


def children(pid):
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return []
    found = []
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="utf-8") as file:
                found += map(int, file.read().split())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return sorted(found)


def below(pid):
    """Every descendant."""
    found = []
    for child in children(pid):
        found += [child, *below(child)]
    return found


def environment(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return b""


def with_environment(text):
    """Processes that were started with this in their environment: strays of a test, too."""
    return [int(entry) for entry in os.listdir("/proc")
            if entry.isdigit() and text.encode() in environment(entry) and is_there(int(entry))]


def anonymous_kb(pid):
    """Memory that is no file's.  Not the private part of it: that grows when children end."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("RssAnon:")), None)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None

"""Which of these texts are in the memory or the environment of a process?

in_memory.py PID TEXT...   prints those that are, a line each; needs the rights of root
"""

import sys


def ranges(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            where, rights = line.split(None, 2)[:2]
            if rights.startswith("r") and "[v" not in line:
                begin, end = (int(part, 16) for part in where.split("-"))
                yield begin, end


def memory(pid):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for begin, end in ranges(pid):
            try:
                mem.seek(begin)
                yield mem.read(end - begin) or b""
            except OSError:
                pass  # pages that the kernel gives nobody
    with open(f"/proc/{pid}/environ", "rb") as environ:
        yield environ.read()


def main():
    pid, texts = sys.argv[1], sys.argv[2:]
    found = set()
    for piece in memory(pid):
        found.update(text for text in texts if text.encode() in piece)
    for text in sorted(found):
        print(text)


main()

"""Names that Python files bring in, set or define and that nobody uses.

    python3 -B unused.py FILE...     prints FILE:LINE: what; exit status 1 when there is one

Compiles each file on the way, in memory.  What starts with _ is unused on purpose.
"""

import ast
import sys

CALLED_BY_PYTHON = ("run", "do_GET", "do_POST")


def bound_by_import(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield (alias.asname or alias.name).split(".")[0], node.lineno


def set_in(function):
    """Local names that are assigned or bound; parameters are what a caller wants."""
    shared = {name for node in ast.walk(function) if isinstance(node, (ast.Global, ast.Nonlocal))
              for name in node.names}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in shared:
            yield node.id, node.lineno
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node.lineno


def called_somewhere(tree):
    """Names by which a function may be reached: called, handed on, imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)


def used_in(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def unused(path, tree):
    """-> (line, what)"""
    used = used_in(tree)
    # A package hands on what it imports.
    if not path.endswith("__init__.py"):
        for name, line in bound_by_import(tree):
            if name not in used:
                yield line, f"'{name}' is imported and not used"
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            used = used_in(function)
            for name, line in set_in(function):
                if name not in used and not name.startswith("_"):
                    yield line, f"'{name}' is set and not used"


def uncalled(tree, called):
    """Functions and methods that no file names.  What has a decorator is called by that."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name not in called and not node.decorator_list and \
                not node.name.startswith("__") and node.name not in CALLED_BY_PYTHON:
            yield node.lineno, f"'{node.name}' is never called"


def main(paths):
    trees, found = {}, []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        try:
            compile(text, path, "exec")
            trees[path] = ast.parse(text, path)
        except SyntaxError as why:
            found.append((path, why.lineno, why.msg))
    called = {name for tree in trees.values() for name in called_somewhere(tree)}
    for path, tree in trees.items():
        found += [(path, line, what) for line, what in {*unused(path, tree), *uncalled(tree, called)}]
    for path, line, what in sorted(found):
        print(f"{path}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

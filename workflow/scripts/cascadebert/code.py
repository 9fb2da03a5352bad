"""Digests of code, so that an edit reruns what uses it and nothing else."""

import ast
import functools
import hashlib
from pathlib import Path

SCRIPTS = Path(__file__).parents[1]


@functools.cache
def code_version(*files: str) -> str:
    """Digest of some files below workflow/scripts and of every module of ours that they reach by import statements.

    Comments and docstrings do not count. A module that is imported by its name at run time has to be given.

    Raises:
        ValueError: for a relative import, which is not followed.
    """
    digest, todo, seen = hashlib.sha256(), [SCRIPTS / file for file in files], set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo.extend(_parsed(path)[1])
    for path in sorted(seen):
        digest.update(f"{path.relative_to(SCRIPTS)}\0{_parsed(path)[0]}\0".encode())
    version = digest.hexdigest()[:16]
    _files[version] = seen
    return version


_files: dict[str, set[Path]] = {}
"""The files that each digest was taken of."""


def edited(version: str, since: float) -> list[Path]:
    """Files that say something else by now than when a digest was taken of them, comments and docstrings left out.

    Args:
        version: of `code_version` in this process; nothing is edited of what is no such digest.
        since: only files that were written to later are looked at, in seconds since 1970.
    """
    return sorted(file for file in _files.get(version, ()) if _differs(file, since))


def _differs(file: Path, since: float) -> bool:
    try:
        return file.stat().st_mtime > since and _parse(file) != _parsed(file)
    except (OSError, SyntaxError, ValueError):  # gone, or half written
        return True


def _parse(path: Path) -> tuple[str, list[Path]]:
    """A Python file as (its code without docstrings, the files of ours that it imports)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            raise ValueError(f"{path}: write relative imports out in full, code_version does not follow them")
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    paths = [SCRIPTS.joinpath(*name.split(".")) for name in imported]
    files = {file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py")}
    return ast.dump(tree), sorted(file for file in files if file.is_file())


_parsed = functools.cache(_parse)

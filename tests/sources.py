"""This project's Python files, parsed once for all tests that read them."""

import ast
from functools import cache
from pathlib import PurePosixPath
from typing import NamedTuple

from tests.paths import ROOT

PACKAGES = ("flows", "tasks", "blocks", "timerex_ghl")
FOLDERS = (*PACKAGES, "tests", "benchmarks")


class SourceFile(NamedTuple):
    """One file. `path` starts at the checkout's root."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name."""
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    @property
    def part(self) -> str:
        return part_of(self.module)

    def at(self, line: int, fault: str) -> str:
        return f"{self.path}:{line}: {fault}"


def source_of(path: str, text: str) -> SourceFile:
    return SourceFile(PurePosixPath(path), text, ast.parse(text))


@cache
def read_sources() -> list[SourceFile]:
    return [
        source_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def part_of(module: str) -> str:
    """Shorten a dotted name to the part that has a rule: `flows`, `timerex_ghl.domain`."""
    names = module.split(".")
    return ".".join(names[:2]) if names[0] == "timerex_ghl" else names[0]

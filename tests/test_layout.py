"""DESIGN.md, section 3, as a test: allowed imports, and the largest size of a file."""

import ast
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import PurePosixPath
from typing import NamedTuple

import pytest

from tests.paths import ROOT

PACKAGES = ("flows", "tasks", "blocks", "timerex_ghl")
FOLDERS = (*PACKAGES, "tests", "benchmarks")
MAX_FILE = 300
MAX_FUNCTION = 40

# What each part may import of this project. A part that is not named here fails the test.
DOMAIN = {"timerex_ghl.domain"}
CATALOG = {"timerex_ghl.catalog", *DOMAIN}
ADAPTERS = {"timerex_ghl.adapters", *DOMAIN}
ENGINE = {"timerex_ghl.engine", *ADAPTERS, *CATALOG}
GATEWAY = {"timerex_ghl.gateway", *ADAPTERS, *CATALOG}
BLOCKS = {"blocks", *ENGINE, *GATEWAY}
TASKS = {"tasks", *BLOCKS}
FLOWS = {"flows", *TASKS}
DEMO = {"timerex_ghl.demo", "timerex_ghl.orchestration.processes", "timerex_ghl.sandbox", *FLOWS}
MAY_IMPORT = {
    "flows": FLOWS,
    "tasks": TASKS,
    "blocks": BLOCKS,
    "timerex_ghl": set[str](),
    "timerex_ghl.domain": DOMAIN,
    "timerex_ghl.catalog": CATALOG,
    "timerex_ghl.adapters": ADAPTERS,
    "timerex_ghl.engine": ENGINE,
    "timerex_ghl.gateway": GATEWAY,
    "timerex_ghl.sandbox": {"timerex_ghl.sandbox"},
    "timerex_ghl.orchestration.processes": set[str](),
    "timerex_ghl.workspace.operator_views": ADAPTERS,
    "timerex_ghl.workspace.explain": ADAPTERS,
    "timerex_ghl.demo": DEMO,
    "timerex_ghl.cli": {
        "timerex_ghl.cli",
        "timerex_ghl.workspace.operator_views",
        "timerex_ghl.workspace.explain",
        *DEMO,
    },
    "timerex_ghl.__main__": {"timerex_ghl.cli"},
}
KNOWS_PREFECT = {"flows", "tasks", "blocks", "timerex_ghl.demo", "timerex_ghl.cli"}

PURE_LIBRARIES = {"pydantic", "phonenumbers", "timerex_ghl"}
WITH_PANDAS = {"drift.py", "suggestions.py"}
# Standard modules that do I/O, read a clock or use random numbers.
IMPURE = {
    "asyncio", "concurrent", "ftplib", "glob", "http", "logging", "multiprocessing", "os",
    "pathlib", "random", "secrets", "selectors", "shutil", "signal", "socket", "socketserver",
    "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
IMPURE_CALLS = {"now", "today", "utcnow", "uuid1", "uuid4", "open", "print", "input"}


class SourceFile(NamedTuple):
    """One file. `path` starts at the checkout's root."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def part(self) -> str:
        return part_of(".".join(self.path.with_suffix("").parts).removesuffix(".__init__"))

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


def imports_of(source: SourceFile) -> Iterator[tuple[str, int]]:
    """Yield module and line of every import, those inside functions too."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Import(names=names):
                yield from ((name.name, node.lineno) for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                if module not in {"timerex_ghl", "urllib"}:
                    yield module, node.lineno
                else:  # `from timerex_ghl import engine` means `timerex_ghl.engine`
                    yield from ((f"{module}.{name.name}", node.lineno) for name in names)
            case ast.ImportFrom(lineno=line):
                yield ".", line
            case _:
                pass


def direction_faults(source: SourceFile) -> Iterator[str]:
    if source.path.parts[0] not in PACKAGES:
        return
    if source.part not in MAY_IMPORT:
        yield source.at(1, f"say in tests/test_layout.py what {source.part} may import")
        return
    for module, line in imports_of(source):
        local = module.partition(".")[0] in PACKAGES
        if module == ".":
            yield source.at(line, "write the import out in full")
        elif local and part_of(module) not in {"timerex_ghl", *MAY_IMPORT[source.part]}:
            yield source.at(line, f"{source.part} may not import {module}")


def prefect_faults(source: SourceFile) -> Iterator[str]:
    if source.path.parts[0] not in PACKAGES or source.part in KNOWS_PREFECT:
        return
    for module, line in imports_of(source):
        if module.startswith("prefect"):
            yield source.at(line, f"{source.part} may not know Prefect")


def purity_faults(source: SourceFile) -> Iterator[str]:
    if source.part != "timerex_ghl.domain":
        return
    for module, line in imports_of(source):
        if not is_pure(module, source.path.name):
            yield source.at(line, f"the domain is pure and may not import {module}")
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                if name in IMPURE_CALLS:
                    yield source.at(node.lineno, f"the domain is pure and may not call {name}()")
            case _:
                pass


def is_pure(module: str, file_name: str) -> bool:
    top = module.partition(".")[0]
    if top == "pandas":
        return file_name in WITH_PANDAS
    is_standard = top in sys.stdlib_module_names and not {top, module} & IMPURE
    return is_standard or top in PURE_LIBRARIES


def size_faults(source: SourceFile) -> Iterator[str]:
    length = len(source.text.splitlines())
    if length > MAX_FILE and "versions" not in source.path.parts:  # a migration is written once
        yield source.at(length, f"{length} lines, {MAX_FILE} at most: split it")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                fault = f"{node.name} has {length} lines, {MAX_FUNCTION} at most: split it"
                yield source.at(node.lineno, fault)


def tags_faults(source: SourceFile) -> Iterator[str]:
    """Find `tags` put into a body: a PUT with it erases tags of others (DESIGN.md, 5.5)."""
    if not source.path.is_relative_to("timerex_ghl/adapters/ghl"):
        return
    tag_calls = {
        inner
        for node in ast.walk(source.tree)
        if isinstance(node, ast.AsyncFunctionDef) and node.name in {"add_tags", "remove_tags"}
        for inner in ast.walk(node)
    }
    for node in ast.walk(source.tree):
        match node:
            case ast.Dict(keys=keys):
                found = [key for key in keys if key is not None and is_tags(key)]
            case ast.Subscript(slice=key, ctx=ast.Store()):
                found = [key] if is_tags(key) else []
            case _:
                found = []
        if found and node not in tag_calls:
            yield source.at(found[0].lineno, "only add_tags and remove_tags may send `tags`")


def is_tags(key: ast.expr) -> bool:
    return isinstance(key, ast.Constant) and key.value == "tags"


RULES = (direction_faults, prefect_faults, purity_faults, size_faults, tags_faults)


@pytest.mark.parametrize("rule", RULES)
def test_the_layout_is_kept(rule: Callable[[SourceFile], Iterator[str]]) -> None:
    faults = [fault for source in read_sources() for fault in rule(source)]

    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tasks/ghl.py", "from flows.contact_sync import contact_sync"),
        ("blocks/ghl.py", "import tasks.ghl"),
        ("timerex_ghl/engine/contacts/handle_contact.py", "from blocks.ghl import GhlCredentials"),
        ("timerex_ghl/engine/contacts/handle_contact.py", "from timerex_ghl.gateway import app"),
        (
            "timerex_ghl/engine/contacts/handle_contact.py",
            "def f():\n    from timerex_ghl import cli",
        ),
        ("timerex_ghl/adapters/ghl/client.py", "from timerex_ghl import engine"),
        (
            "timerex_ghl/domain/contacts/contact_plan.py",
            "from timerex_ghl.adapters.ledger.db import core",
        ),
        ("timerex_ghl/sandbox/app.py", "from timerex_ghl.domain.shared.models import Contact"),
        ("timerex_ghl/gateway/app.py", "from . import endpoints"),
        ("timerex_ghl/demo/run.py", "from timerex_ghl.cli import main"),
        ("timerex_ghl/newcomer/code.py", ""),
        ("timerex_ghl/adapters/ledger/db/core.py", "from prefect import task"),
        ("timerex_ghl/domain/contacts/contact_plan.py", "import os"),
        ("timerex_ghl/domain/contacts/contact_plan.py", "from urllib import request"),
        ("timerex_ghl/domain/contacts/contact_plan.py", "import httpx"),
        ("timerex_ghl/domain/contacts/contact_plan.py", "import pandas as pd"),
        ("timerex_ghl/domain/contacts/contact_plan.py", "NOW = datetime.now(UTC)"),
        ("timerex_ghl/domain/contacts/contact_plan.py", "FILE = open('a')"),
        ("flows/long.py", "\n" * 301),
        ("tests/test_long.py", "def f():\n" + "    pass\n" * 40),
        ("timerex_ghl/adapters/ghl/client.py", "body = {**values, 'tags': tags}"),
        ("timerex_ghl/adapters/ghl/client.py", "body['tags'] = tags"),
    ],
)
def test_a_breach_is_found(path: str, text: str) -> None:
    source = source_of(path, text)

    assert [fault for rule in RULES for fault in rule(source)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("flows/contact_sync.py", "from prefect import flow\nfrom tasks.ghl import handle"),
        (
            "timerex_ghl/cli/programs.py",
            "from timerex_ghl.demo.run import run\nimport flows.contact_sync",
        ),
        ("timerex_ghl/domain/drift.py", "import pandas as pd\nfrom urllib.parse import quote"),
        ("timerex_ghl/adapters/ghl/client.py", "async def add_tags():\n    return {'tags': 1}"),
    ],
)
def test_what_is_allowed_is_not_a_breach(path: str, text: str) -> None:
    source = source_of(path, text)

    assert not [fault for rule in RULES for fault in rule(source)]

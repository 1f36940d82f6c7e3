"""DESIGN.md, section 3, as a test: allowed imports, and the largest size of a file."""

import ast
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.sources import PACKAGES, SourceFile, part_of, read_sources, source_of

MAX_FILE = 300
MAX_FUNCTION = 40

# What each part may import of this project. A part that is not named here fails the test.
CONFIGURATION = "timerex_ghl.configuration"
DOMAIN = {"timerex_ghl.domain"}
ADAPTERS = {"timerex_ghl.adapters", CONFIGURATION, *DOMAIN}
WORKSPACE = {"timerex_ghl.workspace", *ADAPTERS}
ENGINE = {"timerex_ghl.engine", *WORKSPACE}
GATEWAY = {"timerex_ghl.gateway", *WORKSPACE}
BLOCKS = {"blocks", *ADAPTERS}
ORCHESTRATION = {"timerex_ghl.orchestration", *BLOCKS, *ENGINE}
TASKS = {"tasks", *ORCHESTRATION}
FLOWS = {"flows", *TASKS}
DEMO = {"timerex_ghl.demo", "timerex_ghl.sandbox", *FLOWS, *GATEWAY}
MAY_IMPORT = {
    "flows": FLOWS,
    "tasks": TASKS,
    "blocks": BLOCKS,
    "timerex_ghl": set[str](),
    "timerex_ghl.configuration": DOMAIN,
    "timerex_ghl.domain": DOMAIN,
    "timerex_ghl.adapters": ADAPTERS,
    "timerex_ghl.workspace": WORKSPACE,
    "timerex_ghl.engine": ENGINE,
    "timerex_ghl.orchestration": ORCHESTRATION,
    "timerex_ghl.gateway": GATEWAY,
    "timerex_ghl.sandbox": {"timerex_ghl.sandbox"},
    "timerex_ghl.demo": DEMO,
    "timerex_ghl.cli": {"timerex_ghl.cli", *DEMO},
    "timerex_ghl.__main__": {"timerex_ghl.cli"},
}
KNOWS_PREFECT = {
    "flows", "tasks", "blocks", "timerex_ghl.orchestration", "timerex_ghl.demo", "timerex_ghl.cli",
}  # fmt: skip

PURE_LIBRARIES = {"pydantic", "phonenumbers", "timerex_ghl"}
WITH_PANDAS = {"drift", "overview", "suggestions"}
"""Folders of the domain."""
# Standard modules that do I/O, read a clock or use random numbers.
IMPURE = {
    "asyncio", "concurrent", "ftplib", "glob", "http", "logging", "multiprocessing", "os",
    "pathlib", "random", "secrets", "selectors", "shutil", "signal", "socket", "socketserver",
    "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
IMPURE_CALLS = {"now", "today", "utcnow", "uuid1", "uuid4", "open", "print", "input"}


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
        if not is_pure(module, source.path.parent.name):
            yield source.at(line, f"the domain is pure and may not import {module}")
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                if name in IMPURE_CALLS:
                    yield source.at(node.lineno, f"the domain is pure and may not call {name}()")
            case _:
                pass


def is_pure(module: str, folder: str) -> bool:
    top = module.partition(".")[0]
    if top == "pandas":
        return folder in WITH_PANDAS
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


def task_faults(source: SourceFile) -> Iterator[str]:
    """Find public functions and classes in `tasks` that are not a `@task`."""
    if source.part != "tasks":
        return
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        names = {
            inner.id
            for decorator in node.decorator_list
            for inner in ast.walk(decorator)
            if isinstance(inner, ast.Name)
        }
        if not node.name.startswith("_") and "task" not in names:
            yield source.at(node.lineno, f"{node.name} is no task: move it to orchestration")


def lost_update_faults(source: SourceFile) -> Iterator[str]:
    """Find `self.count += await ...`: it reads before the wait, and loses what others add."""
    shared = {
        name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Nonlocal | ast.Global)
        for name in node.names
    }
    for node in ast.walk(source.tree):
        match node:
            case ast.AugAssign(target=target, value=value):
                is_shared = not isinstance(target, ast.Name) or target.id in shared
            case ast.Assign(targets=[ast.Attribute() as target], value=ast.BinOp() as value):
                is_shared = any(
                    ast.unparse(inner) == ast.unparse(target) for inner in ast.walk(value)
                )
            case _:
                continue
        if is_shared and any(isinstance(inner, ast.Await) for inner in ast.walk(value)):
            yield source.at(node.lineno, "it may change during the await: add up after it")


RULES = (
    direction_faults,
    prefect_faults,
    purity_faults,
    size_faults,
    tags_faults,
    task_faults,
    lost_update_faults,
)


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
        ("timerex_ghl/workspace/contact_edits.py", "from timerex_ghl.gateway.api import pages"),
        ("blocks/ghl.py", "from timerex_ghl.engine.context import SyncContext"),
        ("tasks/live.py", "def each(): pass"),
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
        ("flows/sync.py", "async def f(self):\n    self.counts += await g()"),
        ("flows/sync.py", "async def f(self):\n    self.counts = self.counts + (await g()).a"),
        ("flows/sync.py", "async def f():\n    nonlocal n\n    n += await g()"),
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
        (
            "timerex_ghl/domain/drift/changes.py",
            "import pandas as pd\nfrom urllib.parse import quote",
        ),
        ("flows/sync.py", "async def f(self):\n    done = await g()\n    self.counts += done"),
        ("flows/sync.py", "async def f(self):\n    self.found = await g()"),
        ("timerex_ghl/adapters/ghl/client.py", "async def add_tags():\n    return {'tags': 1}"),
    ],
)
def test_what_is_allowed_is_not_a_breach(path: str, text: str) -> None:
    source = source_of(path, text)

    assert not [fault for rule in RULES for fault in rule(source)]

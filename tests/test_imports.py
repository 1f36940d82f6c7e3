"""The import graph: no arrow leads back, and no folder holds too much."""

import ast
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from tests.sources import SourceFile, read_sources

MAX_FOLDER = 20
"""Modules in one folder: more are two ideas."""


def imported_modules(source: SourceFile, modules: Collection[str]) -> Iterator[str]:
    """Yield the modules that are imported when this file is: not those inside functions."""
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                yield inner if inner in modules else node.module


def find_cycle(graph: Mapping[str, Collection[str]]) -> list[str]:
    """Return the names along a cycle, the first one again at the end; empty if there is none."""
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        names: list[str] = error.args[1]
        start = names.index(min(names))
        return [*names[start:-1], *names[:start], names[start]]
    return []


def test_no_folder_is_two_ideas() -> None:
    sizes = Counter(
        source.path.parent for source in read_sources() if source.path.name != "__init__.py"
    )

    assert {str(folder): size for folder, size in sizes.items() if size > MAX_FOLDER} == {}


def test_no_import_leads_back() -> None:
    modules = {source.module: source for source in read_sources()}
    graph = {name: {*imported_modules(source, modules)} for name, source in modules.items()}

    assert find_cycle(graph) == []


def test_a_cycle_is_found() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]

"""The field's words, as a test: DESIGN.md, section 2, lists the terms and those they replaced."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest

from tests.paths import ROOT
from tests.sources import SourceFile, read_sources

TEXTS = ("*.md", "*.toml", "*.yaml", "Makefile")
NOT_READ = {"docs/names.md", "CHANGELOG.md", "tests/test_vocabulary.py"}

PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

RETIRED = re.compile(
    r"carr(y|ies|ied|ying|iers?)|tells?|told|telling|meets?|met|meetings?|doors?|stations?"
    r"|turnstiles?|sides|traces?|settl\w+|hints?|hinted|adopt\w*"
    r"|heard|hears?|hearing|seen|learn\w*|levels?|levell\w+|decid\w*|noting|noted|remember\w*"
    r"|hold|holds|holders?|holding|held|ours|left|rooms?|paces?|paced|pacing|pacers?|shifts?|duty"
    r"|reliev\w*"
)
"""Words that no part of an identifier may be."""

ALLOWED = {
    "Meeting": "a video meeting, as Zoom and TimeRex call it",
    "MeetingPayload": "a video meeting, as Zoom and TimeRex call it",
    "google_meet_meeting": "TimeRex's key",
    "microsoft_teams_meeting": "TimeRex's key",
    "meeting": "a video meeting, as Zoom and TimeRex call it",
    "meeting_id": "Zoom's key",
    "online_meeting_provider": "TimeRex's key",
    "zoom_meeting": "TimeRex's key",
    "traceId": "GHL's key",
    "trace_id": "GHL's key",
    "TRACE_ID": "GHL's key",
    "bisect_left": "Python's",
    "log_level": "Python's and uvicorn's",
    "set_level": "pytest's",
    "at_level": "pytest's",
    "isolation_level": "SQLAlchemy's",
    "PREFECT_LOGGING_LEVEL": "Prefect's",
    "holder": "who has a lock: common usage",
    "holder_name": "who has a lock: common usage",
    "holder_of": "who has a lock: common usage",
}
"""Identifiers that a library, a vendor or common usage owns. None is added without its reason."""

PROSE = re.compile(
    r"\b(carr(y|ies|ied)|told|stations?|traces|meets|levelled)\b|(?<!both )\bsides\b", re.IGNORECASE
)
MOST_IN_PROSE = 10


@cache
def texts() -> dict[str, str]:
    """Read what is written for people."""
    found = [*ROOT.glob("docs/**/*.md"), *(path for text in TEXTS for path in ROOT.glob(text))]
    return {str(source.path): source.text for source in read_sources()} | {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found
    }


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every name that a file gives or uses, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.keyword(arg=str(name)):
                yield name, node.lineno
            case ast.alias(name=module, asname=asname):
                yield from ((name, node.lineno) for name in (*module.split("."), asname or ""))
            case _:
                pass


def is_retired(identifier: str) -> bool:
    words = [part.lower() for part in PART.findall(identifier)]
    if identifier.startswith("test_"):  # a claim: what it is about may be a vendor's or a lock's
        words = [word for word in words if word not in {"meeting", "meetings", "holder"}]
    return any(RETIRED.fullmatch(word) for word in words)


def breaches(source: SourceFile) -> Iterator[str]:
    for part in source.path.with_suffix("").parts:
        if is_retired(part):
            yield source.at(1, part)
    for name, line in identifiers(source.tree):
        if name not in ALLOWED and is_retired(name):
            yield source.at(line, name)


def test_identifiers_use_the_fields_words() -> None:
    found = [fault for source in read_sources() for fault in breaches(source)]

    assert found == []


def test_exceptions_are_few_and_used() -> None:
    used = {name for source in read_sources() for name, _ in identifiers(source.tree)}

    assert len(ALLOWED) <= 20
    assert set(ALLOWED) - used == set()


@pytest.mark.parametrize(
    ("identifier", "is_one"),
    [
        ("carry_event", True), ("Levelled", True), ("TOLD_AGAIN", True), ("HeldError", True),
        ("is_ours", True), ("handle_event", False), ("overseen", False), ("inside", False),
    ],
)  # fmt: skip
def test_a_retired_word_is_found_as_a_part_of_an_identifier(
    identifier: str,
    is_one: bool,  # noqa: FBT001  a parametrized value
) -> None:
    assert is_retired(identifier) is is_one


def test_a_class_has_a_name_of_its_own() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for source in read_sources():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(source.at(node.lineno, "class"))

    assert {name: at for name, at in places.items() if len(at) > 1} == {}


def test_prose_uses_the_fields_words() -> None:
    found = [
        f"{path}:{number}: {match[0]}"
        for path, text in texts().items()
        if path not in NOT_READ
        for number, line in enumerate(text.splitlines(), 1)
        for match in PROSE.finditer(line)
    ]

    assert len(found) <= MOST_IN_PROSE, "\n".join(found)

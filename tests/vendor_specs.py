"""Validate requests and answers against the vendor's own OpenAPI files.

They are in the folder that `TIMEREX_GHL_VENDOR_SPECS` names, else in `../shared/ghl/openapi` beside
the checkout. Source: GoHighLevel/highlevel-api-docs, commit 0af86a4 (2026-06-19).
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

import pytest
from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.paths import VENDOR
from tests.vendor_flaws import FLAWS

Json: TypeAlias = dict[str, Any]
Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]

VARIABLE = "TIMEREX_GHL_VENDOR_SPECS"
BESIDE = VENDOR / "openapi"


class Judge(Protocol):
    """The part of a `jsonschema` validator that is used in this module."""

    def __call__(self, schema: Json, *, registry: Any = ...) -> "Judge": ...

    def iter_errors(self, instance: object) -> Iterator[ValidationError]:
        """Yield the faults."""
        ...


class Parameter(NamedTuple):
    """One parameter of an operation. `place` is path, query or header."""

    name: str
    place: str
    required: bool
    schema: Json

    def faults(self, text: str) -> list[str]:
        """Return what is wrong with a value in its wire form: text, also for numbers."""
        value: Any = text
        if self.schema.get("type") in {"number", "integer", "boolean"}:
            value = _read(text)
        return faults(PLAIN(self.schema), value)


def faults(judge: Judge, value: object) -> list[str]:
    """List the faults of a value, each with its place."""
    return [f"{error.json_path}: {error.message}" for error in judge.iter_errors(value)]


def specs_or_skip() -> Path:
    """Find the folder of the files, one per app; skip the test if there is none.

    A configured folder has to exist.
    """
    named = os.environ.get(VARIABLE)
    folder = Path(named or BESIDE) / "apps"
    if not folder.is_dir():
        said = f"NO OPENAPI FILES of the vendor: no folder {folder}"
        assert not named, f"{said}, which {VARIABLE} names"
        pytest.skip(f"{said}; set {VARIABLE} to where they are")
    return folder


def file_of(path: str) -> str:
    """Return the name of an operation's file: the first part of its path."""
    return path.split("/")[1]


def validator(file: str, method: str, path: str, status: int | None = None) -> Judge:
    """Return the validator of an operation's answers with this status; without one, of its bodies.

    Null is valid if the files say `nullable`, and in answers for every optional key. A body with
    an unknown key is invalid: the vendor refuses it.
    """
    operation = operation_of(file, method, path)
    place = operation["requestBody"] if status is None else operation["responses"][str(status)]
    kind = next(iter(place["content"]))
    part = "requestBody" if status is None else f"responses/{status}"
    pointer = "/".join(
        _escape(name) for name in ("paths", path, method.lower(), *part.split("/"), "content", kind)
    )
    schema = {"$ref": f"{_uri(file)}#/{pointer}/schema"}
    return (OF_BODIES if status is None else OF_ANSWERS)(schema, registry=REGISTRY)


def has_schema(file: str, method: str, path: str, status: int | None = None) -> bool:
    """Return whether the files describe such a body at all."""
    operation = operation_of(file, method, path)
    place = (
        operation.get("requestBody") if status is None else operation["responses"].get(f"{status}")
    )
    return bool(place and "content" in place)


def statuses(file: str, method: str, path: str) -> set[int]:
    """Return the documented statuses of an operation."""
    return {int(status) for status in operation_of(file, method, path)["responses"]}


def parameters(file: str, method: str, path: str) -> list[Parameter]:
    """List an operation's parameters, including the `Version` header."""
    found: list[Json] = operation_of(file, method, path).get("parameters", [])
    return [
        Parameter(item["name"], item["in"], item.get("required", False), item.get("schema", {}))
        for item in found
    ]


def operation_of(file: str, method: str, path: str) -> Json:
    """Return the files' definition of an operation."""
    return _contents(_uri(file))["paths"][path][method.lower()]


def _uri(file: str) -> str:
    return (specs_or_skip() / file.removesuffix(".json")).with_suffix(".json").as_uri()


def _escape(name: str) -> str:
    """Write one step of a JSON pointer inside a URI."""
    return name.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


@cache
def _contents(uri: str) -> Json:
    """Read one file and correct its flaws."""
    path = Path(uri.removeprefix("file://"))
    contents: Json = json.loads(path.read_text(encoding="utf-8"))
    for place, (mended, _reason) in FLAWS.items():
        file, _, pointer = place.partition("#/")
        if file == path.stem:
            *steps, last = (step.replace("~1", "/") for step in pointer.split("/"))
            node = contents
            for step in steps:
                node = node[step]
            assert last in node, f"{place} is not in the files any more"
            node[last] = mended
    return contents


def _retrieve(uri: str) -> Resource[Any]:
    return Resource.from_contents(_contents(uri), DRAFT4)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _or_null(check: Keyword) -> Keyword:
    """Accept null if the schema says `nullable`, which JSON Schema does not know."""

    def judge(its: Any, value: Any, instance: Any, schema: Json) -> Iterable[ValidationError]:
        if instance is None and schema.get("nullable"):
            return ()
        return check(its, value, instance, schema) or ()

    return judge


def _known_properties(
    its: Any, value: Json, instance: Any, schema: Json
) -> Iterator[ValidationError]:
    """Validate a body's keys, and report unknown ones."""
    yield from KEYWORDS["properties"](its, value, instance, schema) or ()
    if isinstance(instance, dict) and "additionalProperties" not in schema:
        for key in sorted(cast("Json", instance).keys() - value.keys()):
            yield ValidationError(f"property {key} should not exist")


def _properties_or_null(
    its: Any, value: Json, instance: Any, schema: Json
) -> Iterable[ValidationError]:
    """Validate an answer's keys; null counts as an absent optional one."""
    if isinstance(instance, dict):
        required = schema.get("required", [])
        instance = {
            key: item
            for key, item in cast("Json", instance).items()
            if item is not None or key in required
        }
    return KEYWORDS["properties"](its, value, instance, schema) or ()


KEYWORDS = cast("dict[str, Keyword]", Draft4Validator.VALIDATORS)
_NULLABLE = {
    name: _or_null(check) for name, check in KEYWORDS.items() if name in {"type", "enum", "allOf"}
}
PLAIN = cast("Judge", Draft4Validator)
_extended: Callable[..., Judge] = import_module("jsonschema.validators").extend
OF_BODIES = _extended(Draft4Validator, {**_NULLABLE, "properties": _known_properties})
OF_ANSWERS = _extended(Draft4Validator, {**_NULLABLE, "properties": _properties_or_null})
REGISTRY: Registry[Any] = Registry(retrieve=_retrieve)

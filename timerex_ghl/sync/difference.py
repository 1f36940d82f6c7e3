"""What a new version of a connection's settings changes, in lines a person can read."""

from collections.abc import Iterator

from timerex_ghl.sync.settings import ConnectionSettings

UNSHOWN = {"timerex.token_digests", "timerex.door"}
"""Said to have changed, but never shown: the door's name is what keeps strangers out."""


def difference(running: ConnectionSettings | None, new: ConnectionSettings) -> list[str]:
    """List the settings that differ, `name: old -> new`; all of them where nothing runs yet."""
    before = dict(_flat(running.model_dump(mode="json"))) if running else {}
    after = dict(_flat(new.model_dump(mode="json")))
    return [
        f"{name}: {_say(name, before.get(name))} -> {_say(name, after.get(name))}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _flat(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Name every leaf by its path; field rules are named by their field, sets are sorted."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
        case [{"field": _}, *_]:
            for rule in value:
                yield from _flat(rule, f"{prefix}.{rule['field']}")
        case list():
            yield prefix, ", ".join(sorted(str(item) for item in value))
        case _:
            yield prefix, "none" if value is None else str(value)


def _say(name: str, value: str | None) -> str:
    if value is None:
        return "not set"
    return "(not shown)" if name in UNSHOWN else value

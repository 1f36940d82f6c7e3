"""List what a new version of a connection's settings changes, in readable lines."""

from collections.abc import Iterator

from pydantic import JsonValue

from timerex_ghl.domain.connections.settings import ConnectionSettings

UNSHOWN = {"timerex.token_digests", "timerex.endpoint"}
"""Settings listed without their values: the webhook endpoint's name is a secret."""


def difference(running: ConnectionSettings | None, new: ConnectionSettings) -> list[str]:
    """List the settings that differ, `name: old -> new`; all of them for a new connection."""
    before = dict(_flat(running.model_dump(mode="json"))) if running else {}
    after = dict(_flat(new.model_dump(mode="json")))
    return [
        f"{name}: {_say(name, before.get(name))} -> {_say(name, after.get(name))}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _flat(value: JsonValue, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every leaf with its path; a field rule is named by its field, a set is sorted."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list) and prefix == "rules":
        for rule in value:
            field = rule["field"] if isinstance(rule, dict) else rule
            yield from _flat(rule, f"{prefix}.{field}")
    elif isinstance(value, list):
        yield prefix, ", ".join(sorted(str(item) for item in value))
    else:
        yield prefix, "none" if value is None else str(value)


def _say(name: str, value: str | None) -> str:
    if value is None:
        return "not set"
    return "(not shown)" if name in UNSHOWN else value

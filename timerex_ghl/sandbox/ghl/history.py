"""Earlier states of contacts and appointments, for stale reads."""

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact

KEPT = 10_000


class Version(NamedTuple):
    """A record as it was until a time; None if it did not exist."""

    id: str
    until: float
    record: SandboxContact | Json | None


class Past:
    """The last changes, each with the earlier state."""

    def __init__(self, clock: MachineClock) -> None:
        self._clock = clock
        self._versions: deque[Version] = deque(maxlen=KEPT)

    def keep(self, its_id: str, record: SandboxContact | Json | None) -> None:
        """Store a record before a change; None before its creation."""
        if isinstance(record, SandboxContact):
            notes = {note_id: {**note} for note_id, note in record.notes.items()}
            record = replace(record.copy(), notes=notes)
        elif record is not None:
            record = {**record}
        self._versions.append(Version(its_id, self._clock.now(), record))

    @contextmanager
    def shown(self, store: dict[str, Any], its_id: str, ago_ms: int) -> Generator[None]:
        """Put the state of `ago_ms` ago in the store while the context is open."""
        then = self._clock.now() - ago_ms / 1000
        found = (one for one in self._versions if one.id == its_id and one.until > then)
        version = next(found, None)
        if version is None:
            yield
            return
        now = store.get(its_id)
        _put(store, its_id, version.record)
        try:
            yield
        finally:
            _put(store, its_id, now)


def _put(store: dict[str, Any], its_id: str, record: SandboxContact | Json | None) -> None:
    if record is None:
        store.pop(its_id, None)
    else:
        store[its_id] = record

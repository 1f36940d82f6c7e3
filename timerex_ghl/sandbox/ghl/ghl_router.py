"""Every path of the GHL half."""

from collections.abc import Callable, Sequence

from starlette.types import Receive, Scope, Send

from timerex_ghl.sandbox.ghl.access import ghl_agency, ghl_oauth
from timerex_ghl.sandbox.ghl.access.ghl_gate import Gate
from timerex_ghl.sandbox.ghl.activities import ghl_notes, ghl_task_search, ghl_tasks
from timerex_ghl.sandbox.ghl.calendars import ghl_appointment_notes, ghl_appointments, ghl_calendars
from timerex_ghl.sandbox.ghl.contacts import (
    ghl_bulk,
    ghl_businesses,
    ghl_contacts,
    ghl_lists,
    ghl_people,
    ghl_search,
    ghl_tags,
)
from timerex_ghl.sandbox.ghl.ghl_state import Ghl
from timerex_ghl.sandbox.ghl.location import ghl_location, ghl_users, ghl_values
from timerex_ghl.sandbox.ghl.operations import VendorOperation

OPERATIONS: tuple[VendorOperation, ...] = (
    *ghl_search.OPERATIONS,
    *ghl_lists.OPERATIONS,
    *ghl_contacts.OPERATIONS,
    *ghl_bulk.OPERATIONS,
    *ghl_people.OPERATIONS,
    *ghl_notes.OPERATIONS,
    *ghl_tasks.OPERATIONS,
    *ghl_task_search.OPERATIONS,
    *ghl_calendars.OPERATIONS,
    *ghl_appointments.OPERATIONS,
    *ghl_appointment_notes.OPERATIONS,
    *ghl_location.OPERATIONS,
    *ghl_tags.OPERATIONS,
    *ghl_values.OPERATIONS,
    *ghl_users.OPERATIONS,
    *ghl_businesses.OPERATIONS,
    *ghl_oauth.OPERATIONS,
    *ghl_agency.OPERATIONS,
)


class Node:
    """A node of the path tree; `name` is that of a parameter in its place."""

    def __init__(self) -> None:
        self.words: dict[str, Node] = {}
        self.other: Node | None = None
        self.name = ""
        self.gate: Gate | None = None

    def add(self, parts: Sequence[str], gate: Gate) -> None:
        """Add a path that leads to a gate."""
        if not parts:
            self.gate = gate
        elif parts[0].startswith("{"):
            self.other = self.other or Node()
            self.name = parts[0][1:-1]
            self.other.add(parts[1:], gate)
        else:
            self.words.setdefault(parts[0], Node()).add(parts[1:], gate)

    def find(self, parts: Sequence[str]) -> tuple[Gate, dict[str, str]] | None:
        """Find a path's gate and parameters. Literal parts win over parameters."""
        if not parts:
            return (self.gate, {}) if self.gate else None
        word = self.words.get(parts[0])
        found = word.find(parts[1:]) if word else None
        if found is None and self.other is not None and parts[0]:
            found = self.other.find(parts[1:])
            if found is not None:
                found[1][self.name] = parts[0]
        return found


class GhlRouter:
    """Routes a call to its gate by the parts of its path, at the same cost for all paths."""

    def __init__(self, ghl: Ghl, drop: Callable[[Scope], None]) -> None:
        self.root = Node()
        self.unknown = Gate(ghl, (), drop)
        by_path: dict[str, list[VendorOperation]] = {}
        for operation in OPERATIONS:
            by_path.setdefault(operation.path, []).append(operation)
        for path, operations in by_path.items():
            gate = Gate(ghl, operations, drop)
            self.root.add(path.split("/")[1:], gate)
            if path.endswith("/"):  # a collection also answers without its trailing slash
                self.root.add(path.split("/")[1:-1], gate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        gate, parameters = self.root.find(path.split("/")[1:]) or (self.unknown, {})
        scope["path_params"] = parameters
        await gate(scope, receive, send)


def ghl_router(ghl: Ghl, drop: Callable[[Scope], None]) -> GhlRouter:
    """Route every path of the API."""
    return GhlRouter(ghl, drop)

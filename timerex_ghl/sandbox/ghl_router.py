"""Every path of the GHL half."""

from collections.abc import Callable

from starlette.routing import Route, Router
from starlette.types import Scope

from timerex_ghl.sandbox import (
    ghl_appointments,
    ghl_contacts,
    ghl_location,
    ghl_notes,
    ghl_oauth,
    ghl_search,
    ghl_tasks,
)
from timerex_ghl.sandbox.ghl_gate import Gate
from timerex_ghl.sandbox.operations import Operation
from timerex_ghl.sandbox.state import Ghl

OPERATIONS = (
    *ghl_search.OPERATIONS,  # their fixed paths come before /contacts/{contactId}
    *ghl_contacts.OPERATIONS,
    *ghl_notes.OPERATIONS,
    *ghl_tasks.OPERATIONS,
    *ghl_appointments.OPERATIONS,
    *ghl_location.OPERATIONS,
    *ghl_oauth.OPERATIONS,
)


def ghl_router(ghl: Ghl, drop: Callable[[Scope], None]) -> Router:
    """Route every path of the API. Collections answer with and without their last slash."""
    by_path: dict[str, list[Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, []).append(operation)
    gates = {path: Gate(ghl, operations, drop) for path, operations in by_path.items()}
    gates["/contacts"] = gates["/contacts/"]
    routes = [Route(path, gate) for path, gate in gates.items()]
    return Router(routes, redirect_slashes=False, default=Gate(ghl, (), drop))

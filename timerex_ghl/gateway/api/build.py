"""The API as one application, mounted at `PREFIX`."""

from fastapi import FastAPI

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.gateway.api import bookings, contacts, differences, discarded_edits, notes, tasks
from timerex_ghl.gateway.api.document import describe
from timerex_ghl.gateway.api.problems import HANDLERS
from timerex_ghl.gateway.limits import GatewayLimits

PREFIX = "/api/v1"
ABOUT = """Contacts, bookings, notes and tasks of one connection's workspace.

Each token belongs to one connection. Create one with `timerex-ghl token create`.
Changes are synced to the CRM at once, in the order they were made.
"""


def build_api(ledger: Ledger, limits: GatewayLimits) -> FastAPI:
    """Build the application on an open ledger."""
    api = FastAPI(
        title="timerex-ghl workspace",
        version="1",
        description=ABOUT,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
        docs_url=None,  # its page would load scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
    )
    api.state.ledger = ledger
    api.state.limits = limits
    api.state.pending_use_notes = set[str]()
    for part in (contacts, bookings, notes, tasks, differences, discarded_edits):
        api.include_router(part.router)
    describe(api)
    return api

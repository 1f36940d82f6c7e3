"""Run commands in a workspace with one contact."""

import asyncio
import json
from typing import Any

from click.testing import CliRunner, Result

from tests import make
from tests.gateway.given import NAME, publish, settings_with
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.adapters.ledger.tables.operations.audit import AuditEntry
from timerex_ghl.cli import main
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import ContactId


def call(*arguments: str, typed: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, [*arguments], input=typed)


def made(*arguments: str) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def add_riku(url: str) -> ContactId:
    """Publish the connection, with one person in its workspace."""

    async def fill() -> ContactId:
        async with open_ledger(url) as ledger:
            await publish(ledger, settings_with())
            keys = Keys("riku@hinode.example", None)
            row = await ledger.write(
                workspace_contacts.add_contact, NAME, make.contact(), keys, make.NOW
            )
            return row.id

    return asyncio.run(fill())


def last_audited(url: str) -> AuditEntry:
    async def read() -> AuditEntry:
        async with open_ledger(url) as ledger:
            (entry,) = await ledger.read(audit.entries, NAME, 1)
            return entry

    return asyncio.run(read())

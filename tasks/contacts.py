"""Tasks that read GHL's contact changes into the ledger and reconcile contacts."""

from functools import partial

from prefect import task

from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.contacts.handle_contact import handle_contact_key
from timerex_ghl.engine.contacts.pull_contacts import Scope, list_changed, read_page
from timerex_ghl.engine.process import process_record
from timerex_ghl.orchestration.batches import at_once, batches_of, each, resolved
from timerex_ghl.orchestration.contexts import opened
from timerex_ghl.orchestration.run_policy import RETRIES

BATCH = 250
"""Contacts one task run reconciles."""


@task(**RETRIES, task_run_name="{connection} page")
async def read_ghl_page(connection: ConnectionName, scope: Scope, scan: str) -> bool:
    """Read the next page of changed GHL contacts into the ledger; return whether more follow.

    Safe to repeat: the cursor is saved with the page.
    """
    async with opened(connection) as context:
        return await read_page(context, scope, scan)


@task(**RETRIES, task_run_name="{connection} changes")
async def list_changed_batches(connection: ConnectionName, *, dry_run: bool) -> list[list[str]]:
    """List the contacts that may differ between the workspace and GHL, in batches.

    Safe to repeat: a booking's event whose doubt is gone is requeued once.
    """
    async with opened(connection) as context:
        keys = await list_changed(context, dry_run=dry_run)
    return batches_of([str(key) for key in keys], BATCH)


@task(**RETRIES, task_run_name="{connection} contacts")
async def reconcile_contacts(
    connection: ConnectionName, keys: list[str], *, dry_run: bool
) -> Counts:
    """Reconcile contacts, or only plan it. Safe to repeat."""
    async with opened(connection) as context:
        handle = partial(process_record, context, partial(handle_contact_key, dry_run=dry_run))
        return resolved(await each(handle, [*map(RecordRef.parse, keys)], at_once(context)))

"""Flow that keeps contacts in sync."""

from enum import StrEnum

from prefect import flow
from prefect.client.schemas.objects import State

from tasks.contacts import list_changed_batches, read_ghl_page, reconcile_contacts
from timerex_ghl.domain.shared.errors import ScopeError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.engine.contacts.pull_contacts import Scope
from timerex_ghl.orchestration.difference_report import read_differences
from timerex_ghl.orchestration.run_reports import at_work, ended, skipped


class Mode(StrEnum):
    """Whether a run writes."""

    DRY_RUN = "dry-run"
    APPLY = "apply"


@flow(name="contact-sync", flow_run_name="{connection} {scope} {mode}")
async def contact_sync(
    connection: ConnectionName, scope: Scope = Scope.INCREMENTAL, mode: Mode = Mode.APPLY
) -> State[None]:
    """Reconcile contacts between the workspace and GHL.

    Args:
        connection: Name of a published connection.
        scope: incremental reads what changed in GHL since the last run; full reads everything.
            The first run of a connection reads everything.
        mode: dry-run stores a plan and writes to neither system; apply writes.
    """
    async with at_work(connection, "contact-sync", alone=True) as job:
        if job.obstacle is not None:
            return skipped(job)
        more = True
        while more:
            more = await read_ghl_page(connection, scope, job.run_id)
        counts, refusal = Counts(), None
        dry_run = mode is Mode.DRY_RUN
        for batch in await list_changed_batches(connection, dry_run=dry_run):
            try:
                counts += await reconcile_contacts(connection, batch, dry_run=dry_run)
            except ScopeError as error:  # a token without write scopes still reads everything
                refusal = error
        if refusal is not None:
            raise refusal
        said = await read_differences(job.context, ["contact"])
        return await ended(job, counts, dry_run=dry_run, more=said)

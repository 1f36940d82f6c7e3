"""Flow that keeps notes, tasks and appointments in sync, with or without webhooks."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import AwareDatetime

from flows.contact_sync import Mode
from tasks.activities import (
    BATCH,
    list_changed_activities,
    list_changed_appointments,
    list_people,
    reconcile_activities,
    sweep_people,
    sweep_task_pages,
)
from timerex_ghl.domain.activities.activity_fields import ActivityKind
from timerex_ghl.domain.shared.errors import ScopeError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.outcome import Counts
from timerex_ghl.engine.activities.sweep import Swept
from timerex_ghl.orchestration.batches import batches_of
from timerex_ghl.orchestration.difference_report import read_differences
from timerex_ghl.orchestration.lateness_report import read_lateness
from timerex_ghl.orchestration.run_reports import at_work, ended, skipped


class Kinds(StrEnum):
    """Kinds of records a run processes."""

    ALL = "notes, tasks and appointments"
    NOTES = "notes"
    TASKS = "tasks"
    APPOINTMENTS = "appointments"


KINDS_OF: dict[Kinds, tuple[ActivityKind, ...]] = {
    Kinds.ALL: ("task", "note"),
    Kinds.NOTES: ("note",),
    Kinds.TASKS: ("task",),
    Kinds.APPOINTMENTS: (),
}


@flow(name="activity-mirror", flow_run_name="{connection} {kinds} {mode}")
async def activity_mirror(
    connection: ConnectionName,
    kinds: Kinds = Kinds.ALL,
    since: AwareDatetime | None = None,
    mode: Mode = Mode.APPLY,
) -> State[None]:
    """Reconcile notes, tasks and appointments between the workspace and GHL.

    Each run reads all tasks. It reads notes contact by contact, as far as the hourly call budget
    for notes allows: changed contacts first, then those read longest ago. It reads all calendar
    appointments from one day ago on and ingests edits made in GHL; the connection's settings say
    what a cancelled appointment does.

    Args:
        connection: Name of a published connection.
        kinds: Kinds of records to reconcile.
        since: Only workspace changes after this time, and notes of contacts that changed in GHL
            after it. GHL's tasks and appointments are always read in full. Empty: all that is due.
        mode: dry-run stores a plan and writes to neither system; apply writes.
    """
    dry_run = mode is Mode.DRY_RUN
    async with at_work(connection, "activity-mirror", alone=True) as job:
        if job.obstacle is not None:
            return skipped(job)
        run = _MirrorRun(connection, dry_run=dry_run)
        for kind in KINDS_OF[kinds]:
            with run.refused():
                await (run.mirror_tasks(job.run_id) if kind == "task" else run.mirror_notes(since))
            await run.handle(await list_changed_activities(connection, kind, since))
        if kinds in {Kinds.ALL, Kinds.APPOINTMENTS}:
            await run.look_at_calendars()
        if run.refusal is not None:
            raise run.refusal
        differing = await read_differences(job.context, ["note", "task"])
        said = [*differing, *await read_lateness(job.context)]
        return await ended(job, run.counts, dry_run=dry_run, more=said)


class _MirrorRun:
    """The state of one run: its counts so far and a missing scope, if any."""

    def __init__(self, connection: ConnectionName, *, dry_run: bool) -> None:
        self.counts = Counts()
        self.refusal: ScopeError | None = None
        self._connection = connection
        self._dry_run = dry_run

    async def mirror_tasks(self, scan: str) -> None:
        """Sweep all tasks of GHL."""
        more = True
        while more:
            swept = await sweep_task_pages(self._connection, scan, dry_run=self._dry_run)
            await self._take(swept)
            more = swept.more

    async def mirror_notes(self, since: datetime | None) -> None:
        """Sweep the notes of the contacts that are due."""
        for people in await list_people(self._connection, since):
            await self._take(await sweep_people(self._connection, people, dry_run=self._dry_run))

    async def look_at_calendars(self) -> None:
        """Reconcile the appointments that changed in GHL's calendars."""
        with self.refused():
            await self.handle(await list_changed_appointments(self._connection))

    async def _take(self, swept: Swept) -> None:
        self.counts += Counts(applied=swept.added, review=swept.pending)
        await self.handle([str(key) for key in swept.keys])

    async def handle(self, keys: list[str]) -> None:
        """Reconcile records that may differ."""
        for batch in batches_of(keys, BATCH):
            with self.refused():
                done = await reconcile_activities(self._connection, batch, dry_run=self._dry_run)
                self.counts += done

    @contextmanager
    def refused(self) -> Generator[None]:
        """Keep going when a scope is missing, so that everything still permitted is done."""
        try:
            yield
        except ScopeError as error:
            self.refusal = error

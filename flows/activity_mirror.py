"""Notes, tasks and appointments are made the same on both sides, without any webhook too."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import AwareDatetime

from flows.contact_sync import Mode
from tasks.activities import (
    batches_of,
    list_changed_activities,
    list_changed_appointments,
    list_people,
    read_lateness,
    reconcile_activities,
    sweep_people,
    sweep_task_pages,
)
from tasks.reports import at_work, ended, skipped
from timerex_ghl.domain.activities import ActivityKind
from timerex_ghl.domain.errors import ScopeError
from timerex_ghl.domain.models import ConnectionName
from timerex_ghl.engine.activities.sweep import Swept
from timerex_ghl.engine.outcome import Counts


class Kinds(StrEnum):
    """What a run is about."""

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
    """Make notes, tasks and appointments the same in the workspace and in GHL.

    Tasks are looked through all; of people's notes, in each run as many as the calls an hour for
    notes allow, whoever changed or was not looked at for the longest first. Of the calendars, all
    that stands from a day ago on: what people did there is taken over, a cancel as the connection
    says.

    Args:
        connection: Name of a published connection.
        kinds: What to look through.
        since: Only what changed here, and whose contact changed in GHL, after this; tasks and
            appointments of GHL are looked through all. Empty: whatever is due.
        mode: dry-run plans and writes nothing to either side; apply writes.
    """
    dry_run = mode is Mode.DRY_RUN
    async with at_work(connection, "activity-mirror", alone=True) as job:
        if job.locked_by is not None:
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
        said = await read_lateness(job.context)
        return await ended(job, run.counts, dry_run=dry_run, more=said)


class _MirrorRun:
    """One run: what it found and did so far."""

    def __init__(self, connection: ConnectionName, *, dry_run: bool) -> None:
        self.counts = Counts()
        self.refusal: ScopeError | None = None
        self._connection = connection
        self._dry_run = dry_run

    async def mirror_tasks(self, scan: str) -> None:
        """Look through all tasks of GHL."""
        more = True
        while more:
            swept = await sweep_task_pages(self._connection, scan, dry_run=self._dry_run)
            await self._take(swept)
            more = swept.more

    async def mirror_notes(self, since: datetime | None) -> None:
        """Look through the notes of those whose turn it is."""
        for people in await list_people(self._connection, since):
            await self._take(await sweep_people(self._connection, people, dry_run=self._dry_run))

    async def look_at_calendars(self) -> None:
        """Look at the appointments that GHL's calendars show otherwise than before."""
        with self.refused():
            await self.handle(await list_changed_appointments(self._connection))

    async def _take(self, swept: Swept) -> None:
        self.counts += Counts(applied=swept.added, review=swept.pending)
        await self.handle(swept.keys)

    async def handle(self, keys: list[str]) -> None:
        """Make level whatever may differ."""
        for batch in batches_of(keys):
            with self.refused():
                self.counts += await reconcile_activities(
                    self._connection, batch, dry_run=self._dry_run
                )

    @contextmanager
    def refused(self) -> Generator[None]:
        """Go on where a right is missing: what may be done is done all the same."""
        try:
            yield
        except ScopeError as error:
            self.refusal = error

"""The common part of `/notes` and `/tasks`."""

from collections.abc import Callable
from typing import Annotated, Generic, NamedTuple, TypeVar

from fastapi import Path, Request, Response
from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.tables.activities import activity_pages
from timerex_ghl.adapters.ledger.tables.activities.activities import WantedActivities
from timerex_ghl.domain.activities.activity_entry import ActivityEntry
from timerex_ghl.domain.activities.activity_fields import (
    PREFIX,
    Activity,
    ActivityId,
    ActivityKey,
    ActivityKind,
)
from timerex_ghl.gateway.api.authentication import ApiCaller
from timerex_ghl.gateway.api.once import Made, make_once
from timerex_ghl.gateway.api.pages import ApiPage, cursor_of, no_cursor, place_of
from timerex_ghl.gateway.api.versions import tag_of, wanted_versions
from timerex_ghl.workspace import activity_edits
from timerex_ghl.workspace.activity_views import ActivityView, NoteDraft, TaskDraft
from timerex_ghl.workspace.page_query import PageQuery

V = TypeVar("V", bound=ActivityView)

Id = Annotated[str, Path(pattern=r"^[!-~]{1,128}$")]


class Activities(NamedTuple, Generic[V]):
    """Reads and edits notes or tasks.

    Attributes:
        show: Makes the answer from a row.
    """

    kind: ActivityKind
    show: Callable[[Activity], V]

    async def page(
        self, caller: ApiCaller, wanted: WantedActivities, query: PageQuery
    ) -> ApiPage[V]:
        """Return one page, ordered by id."""
        after = place_of(query.cursor)
        if after is not None and not after.startswith(PREFIX[self.kind]):
            raise no_cursor()
        found = await caller.ledger.read(
            activity_pages.page_of_activities,
            caller.connection,
            self.kind,
            wanted,
            None if after is None else ActivityId(after),
            query.limit + 1,
        )
        rows = found[: query.limit]
        more = cursor_of(rows[-1].id) if len(found) > query.limit else None
        return ApiPage(items=[*map(self.show, rows)], next_cursor=more)

    async def add(
        self, request: Request, caller: ApiCaller, draft: NoteDraft | TaskDraft, key: str | None
    ) -> Response:
        """Add a record; a repeated request adds nothing."""

        def make(tx: Connection) -> Made:
            now = clock.now(tx)
            made = activity_edits.add_activity(tx, caller.editor, draft.contact_id, draft, now)
            row = self._read(tx, caller, made.id)  # with the times as stored
            return Made(row.id, row.version, self.show(row).model_dump_json())

        return await make_once(request, caller, key, make)

    async def read(self, caller: ApiCaller, record_id: str, response: Response) -> V:
        """Read a record."""
        row = await caller.ledger.read(self._read, caller, ActivityId(record_id))
        return self._answer(row, response)

    async def change(
        self,
        caller: ApiCaller,
        record_id: str,
        entry: ActivityEntry,
        response: Response,
        if_match: str | None,
    ) -> V:
        """Change the fields in the entry, if the version matches."""
        versions = wanted_versions(if_match)

        def edit(tx: Connection) -> Activity:
            id_, now = ActivityId(record_id), clock.now(tx)
            activity_edits.change_activity(tx, caller.editor, id_, entry, now, versions=versions)
            return self._read(tx, caller, id_)

        return self._answer(await caller.ledger.write(edit), response)

    async def delete(self, caller: ApiCaller, record_id: str, if_match: str | None) -> None:
        """Delete a record, if the version matches."""
        versions = wanted_versions(if_match)
        key = ActivityKey(self.kind, ActivityId(record_id))

        def delete(tx: Connection) -> None:
            activity_edits.delete_activity(tx, caller.editor, key, clock.now(tx), versions=versions)

        await caller.ledger.write(delete)

    def _read(self, tx: Connection, caller: ApiCaller, activity_id: ActivityId) -> Activity:
        key = ActivityKey(self.kind, activity_id)
        return activity_edits.read_activity(tx, caller.editor, key)

    def _answer(self, row: Activity, response: Response) -> V:
        response.headers["ETag"] = tag_of(row.version)
        return self.show(row)

"""`/discarded-edits`: what a delete discarded, page by page and by kind."""

from datetime import UTC, datetime

import httpx

from tests.gateway.api.given import assert_problem
from tests.gateway.given import NAME
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.activities.discarded_edits import save_discarded
from timerex_ghl.domain.activities.activity_fields import TEXT, TITLE, ActivityId, ActivityKind
from timerex_ghl.domain.activities.discarded_edit import DiscardedEdit
from timerex_ghl.domain.shared.models import ContactId

NOW = datetime(2026, 2, 10, 9, tzinfo=UTC)


def edit(kind: ActivityKind, id_: str) -> DiscardedEdit:
    field = TEXT if kind == "note" else TITLE
    return DiscardedEdit(
        kind=kind,
        id=ActivityId(id_),
        contact_id=ContactId("c_1"),
        deleted_in="ghl",
        values={field: f"{id_} new"},
        before={field: f"{id_} old"},
        discarded_at=NOW,
    )


async def test_discarded_edits_are_listed_page_by_page_and_by_kind(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    for one in (edit("task", "t_1"), edit("note", "n_2"), edit("note", "n_1")):
        await ledger.write(save_discarded, NAME, one)

    first = (await api.get("/discarded-edits", params={"limit": 2})).json()
    cursor = first["next_cursor"]
    second = (await api.get("/discarded-edits", params={"limit": 2, "cursor": cursor})).json()
    tasks = (await api.get("/discarded-edits", params={"kind": "task"})).json()

    assert [one["id"] for one in first["items"]] == ["n_1", "n_2"]
    assert first["items"][0] == {
        "kind": "note",
        "id": "n_1",
        "contact_id": "c_1",
        "deleted_in": "ghl",
        "values": {"text": "n_1 new"},
        "before": {"text": "n_1 old"},
        "discarded_at": "2026-02-10T09:00:00Z",
    }
    assert [one["id"] for one in second["items"]] == ["t_1"]
    assert second["next_cursor"] is None
    assert tasks["items"] == second["items"]
    assert_problem(await api.get("/discarded-edits", params={"cursor": "Ym9vazpi"}), 422, "invalid")

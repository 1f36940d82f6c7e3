"""`/differences`: what differs for good, by record, without values."""

import httpx

from tests.gateway.api.given import add, ask_for, assert_problem
from tests.gateway.given import NAME
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link, LinkKind
from timerex_ghl.domain.shared.actions import DifferenceReason, StandingDifference
from timerex_ghl.domain.shared.models import FieldName


def differing(kind: LinkKind, local_id: str, field: str, reason: DifferenceReason) -> Link:
    link = Link(connection=NAME, kind=kind, local_id=local_id, remote_id=f"ghl-{local_id}")
    return link.with_differences([StandingDifference(field=FieldName(field), reason=reason)], 1)


async def test_differences_are_listed_page_by_page_and_by_kind(
    api: httpx.AsyncClient, ledger: Ledger
) -> None:
    person, gone = await add(api), await add(api, email="yui@hinode.example")
    task = await ask_for(api, person["id"])
    found = [
        differing("contact", person["id"], "city", "emptied"),
        differing("contact", gone["id"], "city", "emptied"),
        differing("task", task["id"], "assignee", "unknown assignee"),
    ]
    await ledger.write(links.save_links, found)
    await api.delete(f"/contacts/{gone['id']}", headers={"if-match": "*"})

    first = (await api.get("/differences", params={"limit": 1})).json()
    cursor = first["next_cursor"]
    second = (await api.get("/differences", params={"limit": 1, "cursor": cursor})).json()
    tasks = (await api.get("/differences", params={"kind": "task"})).json()

    contact = {"kind": "contact", "id": person["id"], "ghl_id": f"ghl-{person['id']}"}
    assert first["items"] == [{**contact, "fields": {"city": "emptied"}}]
    assert [one["fields"] for one in second["items"]] == [{"assignee": "unknown assignee"}]
    assert second["next_cursor"] is None
    assert tasks["items"] == second["items"]
    assert_problem(await api.get("/differences", params={"cursor": "Ym9vazpi"}), 422, "invalid")

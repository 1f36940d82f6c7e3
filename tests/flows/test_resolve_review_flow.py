"""Reviews in the Prefect UI: listed without personal values, and resolved."""

import asyncio
import json
import sys
from typing import Any

import pytest

from flows.contact_sync import contact_sync
from flows.resolve_review import Choice, FieldChoice, resolve_review
from tests.flows.conftest import Drafts, Engine, add_person
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import ConnectionName, FieldName
from timerex_ghl.engine.context import utc_now

RULE = {"ghl": "city", "field": "city", "conflict": "ask"}


async def disputed(engine: Engine, drafts: Drafts, email: str) -> tuple[ConnectionName, Review]:
    """Change the city of a new contact differently on both sides."""
    name = await drafts.publish(rules=[{"ghl": "email", "field": "email"}, RULE])
    await add_person(engine, name, email=email, city="Tokyo")
    await engine.here(contact_sync, name)
    ledger, keys = engine.stage.ledger, Keys(email, None)
    ((row,), _) = await ledger.read(workspace_contacts.find_contacts, name, keys)
    change = WorkspaceChange(values={FieldName("city"): "Narashino"})
    await ledger.write(workspace_contacts.change_contact, name, row.id, change, keys, utc_now())
    await move_in_ghl(engine, email, "Himeji")
    state = await engine.here(contact_sync, name)
    assert state.name == "NeedsReview", state.message
    (review,) = [
        one for one in await ledger.read(reviews.open_reviews, name) if one.kind == "conflict"
    ]
    return name, review


async def in_ghl(engine: Engine, email: str) -> dict[str, Any]:
    return next(one for one in await engine.stage.sandbox.contacts() if one.get("email") == email)


async def move_in_ghl(engine: Engine, email: str, city: str) -> None:
    remote = await in_ghl(engine, email)
    await engine.stage.sandbox.send("PATCH", f"/ghl/contacts/{remote['id']}", {"city": city})


async def table(engine: Engine, name: ConnectionName) -> str:
    return await engine.artifact(f"reviews-{name}")


async def test_a_conflict_is_listed_and_resolved_once_from_the_form(
    engine: Engine, drafts: Drafts
) -> None:
    email = "settle-form@kumo.example"
    name, review = await disputed(engine, drafts, email)
    listed = await table(engine, name)
    row = next(one for one in json.loads(listed) if one["review"] == review.id)

    assert (row["kind"], row["reason"]) == ("conflict", "both sides changed city")
    assert (await in_ghl(engine, email))["id"] in row["in GHL"]
    assert not any(word in listed for word in ("Narashino", "Himeji", email))

    first = await engine.here(resolve_review, name, review.id, Choice.KEEP_WORKSPACE, "kana")
    fields = (FieldChoice(field="city", keep="ghl"),)
    second = await engine.here(
        resolve_review, name, review.id, Choice.FIELD_BY_FIELD, "noa", fields=fields
    )

    said = f"{review.id} was already resolved: keep workspace, by kana"
    assert first.message == f"{review.id} is resolved: keep workspace"
    assert (second.message or "").startswith(said)
    assert second.is_completed()
    assert (await in_ghl(engine, email))["city"] == "Narashino"
    assert review.id not in await table(engine, name)


async def test_values_that_changed_are_asked_about_again(engine: Engine, drafts: Drafts) -> None:
    email = "settle-late@kumo.example"
    name, review = await disputed(engine, drafts, email)
    await move_in_ghl(engine, email, "Akashi")
    writes = await engine.stage.sandbox.writes()

    late = await engine.here(resolve_review, name, review.id, Choice.KEEP_WORKSPACE, "kana")
    writes_then = await engine.stage.sandbox.writes()
    run = await engine.api.run(
        "resolve-review", connection=name, review_id=review.id, choice=Choice.KEEP_GHL, by="kana"
    )

    assert (late.name, writes_then) == ("NeedsReview", writes)
    assert "nothing was written, look again" in (late.message or "")
    assert (run["state_name"], run["name"]) == ("Completed", f"{name} {review.id}")
    assert (await in_ghl(engine, email))["city"] == "Akashi"


@pytest.mark.slow
async def test_a_run_that_makes_both_systems_equal_clears_the_table(
    engine: Engine, drafts: Drafts
) -> None:
    email = "settle-equal@kumo.example"
    name, review = await disputed(engine, drafts, email)
    await move_in_ghl(engine, email, "Narashino")

    await engine.here(contact_sync, name)

    assert review.id not in await table(engine, name)


@pytest.mark.slow
async def test_a_typed_value_goes_by_the_terminal_and_never_into_prefect(
    engine: Engine, drafts: Drafts
) -> None:
    email = "settle-typed@kumo.example"
    name, review = await disputed(engine, drafts, email)
    command = ["reviews", "resolve", name, review.id, "--value", "city=Kakogawa", "--by", "kana"]

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "timerex_ghl", *command,
        env=engine.stage.environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()

    assert said.decode() == f"{review.id} is resolved: keep city: typed in\n"
    assert process.returncode == 0
    assert (await in_ghl(engine, email))["city"] == "Kakogawa"
    assert review.id not in await table(engine, name)
    history = [path for path in engine.folder.rglob("prefect.db*") if path.is_file()]
    assert not any(b"Kakogawa" in path.read_bytes() for path in history)


async def test_a_form_that_lacks_something_says_so_in_one_line(
    engine: Engine, ready: ConnectionName
) -> None:
    state = await engine.here(resolve_review, ready, "r_nonsense", Choice.LINK, "kana")

    assert state.is_failed()
    assert "contact_id: enter the id to link to" in (state.message or "")

"""How settings, the token's scopes and people's decisions affect notes and tasks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.engine.activities.test_activity_sweeps import sweep
from tests.engine.activity_world import NAME, ActivityWorld
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ledger.tables.activities import pending_deletes
from timerex_ghl.adapters.ledger.tables.operations import audit, dry_run_plans, reviews
from timerex_ghl.adapters.ledger.tables.sync import links, sweeps
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import BODY, TEXT, TITLE, ActivityId, ActivityKey
from timerex_ghl.domain.connections.settings import ActivitySettings
from timerex_ghl.domain.reviews.review_decisions import Decision, Way
from timerex_ghl.domain.shared.errors import ScopeError
from timerex_ghl.engine.activities import call_budget
from timerex_ghl.engine.activities.delete_activity import FEW, most_unasked
from timerex_ghl.engine.reviews.resolve_review import resolve


def with_settings(acts: ActivityWorld, **changes: object) -> None:
    """Publish other settings for notes and tasks."""
    context = acts.world.context
    activities = ActivitySettings.model_validate(changes)
    settings = context.settings.model_copy(update={"activities": activities})
    published = context.published.model_copy(update={"settings": settings})
    acts.world.context = replace(context, published=published)


async def conflict(acts: ActivityWorld) -> str:
    """Edit one note on both sides; return the review's id."""
    with_settings(acts, rule="ask")
    key = await acts.write("note", await acts.person(), text="Call back")
    await acts.process_all()
    (note,) = await acts.notes()
    await acts.in_crm("PUT", f"{note['contactId']}/notes/{note['id']}", {"body": "In GHL"})
    await acts.edit(key, text="Here")
    await acts.process_all()
    (review,) = await acts.ledger.read(reviews.open_reviews, NAME)
    assert (review.kind, str(review.subject)) == ("conflict", f"{key}:text")
    return review.id


@pytest.mark.parametrize(("side", "stands"), [("workspace", "Here"), ("ghl", "In GHL")])
async def test_a_person_chooses_whose_edit_stands(
    acts: ActivityWorld, side: str, stands: str
) -> None:
    review_id = await conflict(acts)
    assert [note["bodyText"] for note in await acts.notes()] == ["In GHL"]

    decision = Decision.model_validate({"way": Way.KEEP, "by": "Kana", "keep": side})
    await resolve(acts.world.context, review_id, decision)
    await acts.process_all()

    assert [note["bodyText"].partition("\n\n[")[0] for note in await acts.notes()] == [stands]
    (row,) = await acts.all_here("note")
    assert row.values[TEXT] == stands
    resolved = await acts.ledger.read(reviews.get_review, review_id)
    assert resolved is not None
    assert resolved.resolved_by == "Kana"
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []


async def test_both_values_are_kept_where_the_rule_applies(acts: ActivityWorld) -> None:
    with_settings(acts, rule="workspace")
    key = await acts.write("note", await acts.person(), text="Call back")
    await acts.process_all()
    (note,) = await acts.notes()

    await acts.in_crm("PUT", f"{note['contactId']}/notes/{note['id']}", {"body": "In GHL"})
    await acts.edit(key, text="Here")
    await acts.process_all()

    assert [note["bodyText"].partition("\n\n[")[0] for note in await acts.notes()] == ["Here"]
    assert await acts.ledger.read(reviews.open_reviews, NAME) == []
    rows = await acts.ledger.read(audit.entries, NAME, 50)
    assert "note reconciled" in [row.what for row in rows]


async def test_where_they_are_not_mirrored_nothing_travels(acts: ActivityWorld) -> None:
    with_settings(acts, mirrors=False)
    contact_id = await acts.person()
    await acts.write("note", contact_id, text="Call back")
    await acts.in_crm("POST", f"{await acts.crm_id()}/notes", {"body": "In GHL"})

    outcomes = await acts.process_all()
    await sweep(acts, "one")

    assert {outcome.what for outcome in outcomes} == {"ignored"}
    assert len(await acts.notes()) == 1
    assert len(await acts.all_here("note")) == 1


async def test_a_token_that_may_only_read_brings_what_ghl_has(acts: ActivityWorld) -> None:
    key = await acts.write("task", await acts.person(), title="Send", body="Prices")
    await acts.process_all()
    context = acts.world.context
    reads = frozenset({"contacts.readonly", "locations/tasks.readonly", "users.readonly"})
    context.ghl.auth = PrivateToken(await context.ghl.auth.token(), reads)
    (task,) = await acts.tasks()

    await acts.in_crm("PUT", f"{task['contactId']}/tasks/{task['id']}", {"title": "Send today"})
    await acts.edit(key, body="Other prices")
    with pytest.raises(ScopeError):
        await sweep(acts, "one")

    row = await acts.here(key)
    assert (row.values[TITLE], row.values[BODY]) == ("Send today", "Other prices")
    assert (await acts.tasks())[0]["title"] == "Send today"
    link = await acts.ledger.read(links.link_of_local, NAME, "task", key.id)
    assert link is not None
    assert link.local_version != row.version, "it still waits for the scope"


async def test_a_dry_run_shows_what_would_be_deleted_and_added(acts: ActivityWorld) -> None:
    key = await acts.write("note", await acts.person(), text="Call back")
    await acts.process_all()
    await acts.world.ask("POST", "/ghl/webhook", {"url": None})
    (note,) = await acts.notes()
    await acts.in_crm("DELETE", f"{note['contactId']}/notes/{note['id']}")
    await acts.in_crm("POST", f"{note['contactId']}/notes", {"body": "Another"})
    since = acts.world.clock.now()

    await sweep(acts, "one", dry_run=True)

    plans = await acts.ledger.read(dry_run_plans.read_plans, NAME, since)
    assert plans[key.ref] == {"to_workspace": {"values": {"deleted": "true"}}}
    (new,) = [plan for record, plan in plans.items() if record.kind == "ghl-note"]
    assert new == {"to_workspace": {"values": {"text": "Another"}}}
    assert len(await acts.all_here("note")) == 1


async def test_a_note_of_ghl_keeps_when_it_was_written(acts: ActivityWorld) -> None:
    await acts.person()
    made = await acts.in_crm("POST", f"{await acts.crm_id()}/notes", {"body": "Met"})

    await acts.process_all()

    (row,) = await acts.all_here("note")
    assert row.created_at == datetime.fromisoformat(made["note"]["dateAdded"])


@pytest.mark.parametrize(("linked", "most"), [(4, FEW), (60, 30), (100, 40)])
async def test_a_share_of_the_linked_notes_may_be_deleted_unasked_up_to_a_limit(
    acts: ActivityWorld, linked: int, most: int
) -> None:
    with_settings(acts, most_deletes_percent=50, most_deletes=40)
    pairs = [
        Link(connection=NAME, kind="note", local_id=f"n{number}", remote_id=f"r{number}")
        for number in range(linked)
    ]
    await acts.ledger.write(links.save_links, pairs)
    now = acts.world.clock.now()

    found = await acts.ledger.read(most_unasked, acts.world.context, "note", "ghl", now)

    assert found == most


async def test_while_a_delete_waits_for_a_person_no_other_passes_unasked(
    acts: ActivityWorld,
) -> None:
    now = acts.world.clock.now()
    found = pending_deletes.FoundDelete(ActivityKey("note", ActivityId("n1")), "ghl", "pending")
    await acts.ledger.write(pending_deletes.note_delete, NAME, found, now)
    context = acts.world.context

    assert await acts.ledger.read(most_unasked, context, "note", "ghl", now) == 0
    assert await acts.ledger.read(most_unasked, context, "task", "ghl", now) == FEW
    assert await acts.ledger.read(most_unasked, context, "note", "workspace", now) == FEW


async def test_the_calls_of_an_hour_are_never_exceeded(acts: ActivityWorld) -> None:
    with_settings(acts, note_calls_per_hour=40, task_minutes=15)
    context, began = acts.world.context, datetime(2026, 2, 1, tzinfo=UTC)
    given: list[tuple[datetime, int]] = []

    for quarter in range(12):
        now = began + timedelta(minutes=7 * quarter)
        calls = await acts.ledger.read(call_budget.budget_of, context, now)
        await acts.ledger.write(call_budget.spend, context.connection, calls, now)
        given.append((now, calls))

    assert max(calls for _, calls in given) == 10
    for at, _ in given:
        hour = [calls for then, calls in given if at - timedelta(hours=1) < then <= at]
        assert sum(hour) <= 40


async def test_it_is_said_how_late_an_edit_is_noticed(acts: ActivityWorld) -> None:
    for number in range(5):
        await acts.person(f"p{number}@hinode.example")
    with_settings(acts, note_calls_per_hour=8, task_minutes=15)

    late = await acts.ledger.read(call_budget.lateness, acts.world.context)
    with_settings(acts, note_calls_per_hour=0)
    never = await acts.ledger.read(call_budget.lateness, acts.world.context)

    assert (late.people, late.tasks) == (5, timedelta(minutes=15))
    assert late.notes == timedelta(minutes=45), "two people a run: three runs"
    assert late.oldest is None
    assert never.notes is None


async def test_whoever_changed_in_ghl_is_looked_through_first_then_the_oldest(
    acts: ActivityWorld,
) -> None:
    ids = [await acts.person(f"p{number}@hinode.example") for number in range(3)]
    await sweep(acts, "one")
    await acts.world.edit_crm("p2@hinode.example", city="Osaka")
    await acts.process_all()

    people = await acts.ledger.read(sweeps.next_people, NAME, 10)

    assert people[0].contact_id == ids[2]
    assert {one.contact_id for one in people} == {*ids}

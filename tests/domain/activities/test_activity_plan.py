"""The plan for a note or task: each field by itself, with the fewest writes."""

from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timerex_ghl.domain.activities.activity_fields import (
    ASSIGNEE,
    BODY,
    COMPLETED,
    DUE_AT,
    TITLE,
    TRAVELS,
    Activity,
    ActivityId,
    is_same_activity,
)
from timerex_ghl.domain.activities.activity_mapping import GhlActivity
from timerex_ghl.domain.activities.activity_plan import Policy, plan_activity, plan_creation
from timerex_ghl.domain.shared.actions import CreateActivity, StandingDifference, UpdateActivity
from timerex_ghl.domain.shared.models import ContactId, FieldName, GhlContactId

WHO = GhlContactId("g1")
KANA, MORI = "kana@aoba.example", "mori@aoba.example"
NOW = datetime(2026, 2, 1, tzinfo=UTC)
Fields = dict[FieldName, str | None]
BASE: Fields = {
    TITLE: "Send",
    BODY: "Prices",
    DUE_AT: "2026-03-02T09:00:00.000Z",
    COMPLETED: "false",
    ASSIGNEE: None,
}
Rule = Literal["workspace", "ghl", "ask"]
UNKNOWN_ASSIGNEE = StandingDifference(field=ASSIGNEE, reason="unknown assignee")


def local(**changes: str | None) -> Activity:
    values = {**BASE, **{FieldName(name): value for name, value in changes.items()}}
    return Activity(
        id=ActivityId("t_1"), kind="task", contact_id=ContactId("c1"), values=values, version=1,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def in_ghl(**changes: str | None) -> GhlActivity:
    values = {**BASE, **{FieldName(name): value for name, value in changes.items()}}
    return GhlActivity(kind="task", id="r1", contact_id=WHO, values=values, marker=None, digest="d")


def policy(rule: Rule = "ghl") -> Policy:
    return Policy(rule, {KANA, MORI})


def test_nothing_changed_is_nothing_to_do() -> None:
    plan = plan_activity(local(), in_ghl(), BASE, WHO, policy())

    assert (plan.to_ghl, plan.to_workspace.values, plan.conflicts) == ((), {}, ())


def test_a_completed_task_has_a_call_of_its_own() -> None:
    (action,) = plan_activity(local(completed="true"), in_ghl(), BASE, WHO, policy()).to_ghl

    assert (action.kind, getattr(action, "values", None)) == ("task.complete", {COMPLETED: "true"})


def test_several_changed_fields_travel_together() -> None:
    row = local(completed="true", title="Send today")

    (action,) = plan_activity(row, in_ghl(), BASE, WHO, policy()).to_ghl

    assert isinstance(action, UpdateActivity)
    assert action.kind == "task.update"
    assert action.values == {COMPLETED: "true", TITLE: "Send today"}


def test_each_side_gets_what_the_other_changed() -> None:
    plan = plan_activity(local(title="Here"), in_ghl(completed="true"), BASE, WHO, policy())

    assert plan.to_workspace.values == {COMPLETED: "true"}
    assert [getattr(action, "values", None) for action in plan.to_ghl] == [{TITLE: "Here"}]
    assert plan.base == {**BASE, TITLE: "Here", COMPLETED: "true"}


def test_an_assignee_whom_ghl_does_not_know_stays_here() -> None:
    plan = plan_activity(local(assignee="guest@x.example"), in_ghl(), BASE, WHO, policy())

    assert plan.to_ghl == ()
    assert plan.base[ASSIGNEE] is None


def test_an_assignee_whom_ghl_does_not_know_outlives_other_edits() -> None:
    row = local(assignee="guest@x.example")
    agreed = plan_creation(row, WHO, policy()).base

    plan = plan_activity(row, in_ghl(title="There"), agreed, WHO, policy())

    assert plan.to_workspace.values == {TITLE: "There"}
    assert ASSIGNEE not in plan.base
    assert plan.differences == (UNKNOWN_ASSIGNEE,)


@pytest.mark.parametrize(
    ("rule", "taken", "winners"), [("ghl", {ASSIGNEE: MORI}, ["ghl"]), ("workspace", {}, [])]
)
def test_an_assignee_whom_ghl_does_not_know_gives_way_by_rule_only_and_on_record(
    rule: Rule, taken: Fields, winners: list[str]
) -> None:
    row, base = local(assignee="guest@x.example"), {**BASE, ASSIGNEE: KANA}

    plan = plan_activity(row, in_ghl(assignee=MORI), base, WHO, policy(rule))

    assert (plan.to_ghl, plan.to_workspace.values) == ((), taken)
    assert [(one.workspace, one.winner) for one in plan.conflicts] == [
        ("guest@x.example", winner) for winner in winners
    ]
    assert plan.base[ASSIGNEE] == (MORI if taken else KANA)


def test_a_user_of_ghl_whom_the_workspace_cannot_name_is_shown_as_a_difference() -> None:
    received = {field: value for field, value in BASE.items() if field != ASSIGNEE}
    remote = in_ghl().model_copy(update={"values": received})

    plan = plan_activity(local(assignee=KANA), remote, BASE, WHO, policy())

    assert (plan.to_ghl, plan.differences) == ((), (UNKNOWN_ASSIGNEE,))


@pytest.mark.parametrize("rule", ["workspace", "ghl", "ask"])
def test_without_a_base_an_empty_value_does_not_wipe_a_filled_one(rule: Rule) -> None:
    plan = plan_activity(local(), in_ghl(body=None), None, WHO, policy(rule))

    assert plan.to_workspace.values == {}
    assert [getattr(action, "values", None) for action in plan.to_ghl] == [{BODY: "Prices"}]
    assert plan.conflicts == ()


def test_an_assignee_is_known_however_the_address_is_written() -> None:
    (action,) = plan_activity(
        local(assignee="Kana@Aoba.example"), in_ghl(), BASE, WHO, policy()
    ).to_ghl

    assert getattr(action, "values", None) == {ASSIGNEE: "Kana@Aoba.example"}


def test_an_empty_title_is_not_sent() -> None:
    plan = plan_activity(local(title=""), in_ghl(), BASE, WHO, policy())

    assert plan.to_ghl == ()
    assert plan.base[TITLE] == "Send"


def test_a_field_that_was_not_received_is_neither_written_nor_emptied() -> None:
    received = {field: value for field, value in BASE.items() if field != BODY}
    remote = in_ghl().model_copy(update={"values": received})

    plan = plan_activity(local(body="Other prices"), remote, BASE, WHO, policy())

    assert (plan.to_ghl, plan.to_workspace.values, plan.conflicts) == ((), {}, ())
    assert plan.base[BODY] == "Prices"


def test_nobody_can_be_taken_from_a_task_in_ghl() -> None:
    base: Fields = {**BASE, ASSIGNEE: KANA}

    plan = plan_activity(local(assignee=None), in_ghl(assignee=KANA), base, WHO, policy())
    given_on = plan_activity(local(assignee=None), in_ghl(assignee=MORI), base, WHO, policy())

    assert plan.to_ghl == ()
    assert given_on.to_workspace.values == {ASSIGNEE: MORI}


def test_a_body_can_be_emptied() -> None:
    (action,) = plan_activity(local(body=""), in_ghl(), BASE, WHO, policy()).to_ghl

    assert getattr(action, "values", None) == {BODY: ""}


def test_a_conflict_that_waits_for_a_person_keeps_its_base() -> None:
    plan = plan_activity(local(title="Here"), in_ghl(title="There"), BASE, WHO, policy("ask"))

    assert (plan.to_ghl, plan.to_workspace.values) == ((), {})
    assert plan.base[TITLE] == "Send"
    assert [(one.workspace, one.ghl, one.winner) for one in plan.conflicts] == [
        ("Here", "There", None)
    ]


def test_different_values_that_never_agreed_are_a_conflict_though_others_did_agree() -> None:
    base = {field: value for field, value in BASE.items() if field != TITLE}

    plan = plan_activity(local(title="Here"), in_ghl(title="There"), base, WHO, policy("ghl"))

    assert plan.to_ghl == ()
    assert plan.to_workspace.values == {TITLE: "There"}
    assert [(one.workspace, one.ghl, one.base, one.winner) for one in plan.conflicts] == [
        ("Here", "There", None, "ghl")
    ]
    assert plan.base[TITLE] == "There"


def test_a_person_who_was_asked_resolves_it() -> None:
    resolved_fields = Policy("ask", {KANA}, {TITLE: "workspace"})

    (action,) = plan_activity(
        local(title="Here"), in_ghl(title="There"), BASE, WHO, resolved_fields
    ).to_ghl

    assert getattr(action, "values", None) == {TITLE: "Here"}


def test_a_new_one_takes_along_what_ghl_can_keep() -> None:
    (action,) = plan_creation(local(assignee="guest@x.example"), WHO, policy()).to_ghl

    assert isinstance(action, CreateActivity)
    assert ASSIGNEE not in action.values
    assert action.values[TITLE] == "Send"


WORDS = st.sampled_from(["Send", "Send  today", "Send today", "Call", ""])
FIELDS = st.fixed_dictionaries(
    {
        TITLE: WORDS.filter(bool),
        BODY: WORDS,
        DUE_AT: st.sampled_from(["2026-03-02T09:00:00.000Z", "2026-03-03T09:00:00.000Z"]),
        COMPLETED: st.sampled_from(["true", "false"]),
        ASSIGNEE: st.sampled_from([KANA, MORI]),
    }
)


@given(
    FIELDS, FIELDS, st.none() | FIELDS, st.sampled_from(["workspace", "ghl"]),
)  # fmt: skip
def test_after_a_plan_both_systems_say_the_same_and_the_next_one_is_empty(
    here: Fields, there: Fields, base: Fields | None, rule: Rule
) -> None:
    row, remote = local(**here), in_ghl(**there)

    plan = plan_activity(row, remote, base, WHO, policy(rule))
    sent = {k: v for action in plan.to_ghl for k, v in getattr(action, "values", {}).items()}
    values = {**row.values, **plan.to_workspace.values}
    row_after = row.model_copy(update={"values": values})
    remote_after = in_ghl(**{**there, **sent})

    assert is_same_activity("task", row_after.values, remote_after.values)
    assert is_same_activity("task", row_after.values, plan.base)
    again = plan_activity(row_after, remote_after, plan.base, WHO, policy(rule))
    assert (again.to_ghl, again.to_workspace.values, again.conflicts) == ((), {}, ())


@given(FIELDS, FIELDS, FIELDS, st.sampled_from(["workspace", "ghl", "ask"]))
def test_no_value_is_overwritten_that_only_its_own_side_changed(
    here: Fields, there: Fields, base: Fields, rule: Rule
) -> None:
    plan = plan_activity(local(**here), in_ghl(**there), base, WHO, policy(rule))

    for field in TRAVELS["task"]:
        if is_same_activity("task", {**base, field: here[field]}, base):
            assert field not in {k for a in plan.to_ghl for k in getattr(a, "values", {})}
        if is_same_activity("task", {**base, field: there[field]}, base):
            assert field not in plan.to_workspace.values

"""What holds for every workspace contact, GHL contact, base and set of rules."""

from itertools import chain

from hypothesis import assume, given
from hypothesis import strategies as st

from tests import make
from tests.domain.strategies import (
    contacts,
    ghl_contacts,
    ghl_name,
    is_custom_or_received,
    rules,
)
from timerex_ghl.domain.contacts.contact_merge import apply_change, merge_contacts
from timerex_ghl.domain.contacts.contact_plan import plan_contact
from timerex_ghl.domain.contacts.mapping import goes_to_ghl, goes_to_workspace, map_from_ghl
from timerex_ghl.domain.shared.actions import (
    AddTags,
    ContactAction,
    ContactPlan,
    CreateContact,
    RemoveTags,
    UpdateContact,
)
from timerex_ghl.domain.shared.models import (
    Contact,
    FieldName,
    FieldRule,
    GhlContact,
    GhlField,
    Value,
)
from timerex_ghl.domain.shared.normal import clean_tag, is_empty, is_same

REGION = "JP"
bases = st.none() | contacts


def as_ghl_keeps_it(field: GhlField, value: Value) -> Value:
    """Write a value the way a real location does."""
    if field == "email" and isinstance(value, str):
        return value.lower()
    return value or None


def in_ghl(ghl: GhlContact, action: ContactAction) -> GhlContact:
    """Apply one action as GHL does."""
    tags = ghl.tags or frozenset[str]()
    match action:
        case CreateContact(values=values) | UpdateContact(values=values):
            kept = {field: as_ghl_keeps_it(field, value) for field, value in values.items()}
            return ghl.model_copy(update={"values": {**ghl.values, **kept}})
        case AddTags(tags=added):
            return ghl.model_copy(update={"tags": tags | {tag.lower() for tag in added}})
        case RemoveTags(tags=removed):
            return ghl.model_copy(update={"tags": tags - removed})


def apply_plan(
    workspace: Contact, ghl: GhlContact, plan: ContactPlan
) -> tuple[Contact, GhlContact]:
    for action in plan.to_ghl:
        ghl = in_ghl(ghl, action)
    return apply_change(workspace, plan.to_workspace), ghl


def fields_to_ghl(plan: ContactPlan, fields: tuple[FieldRule, ...]) -> dict[FieldName, Value]:
    sent = [
        action.values for action in plan.to_ghl if isinstance(action, CreateContact | UpdateContact)
    ]
    by_name = {rule.ghl: rule.field for rule in fields}
    return {by_name[name]: value for each in sent for name, value in each.items()}


@given(contacts, ghl_contacts, bases, rules())
def test_planning_again_after_applying_plans_nothing(
    workspace: Contact, ghl: GhlContact, base: Contact | None, fields: tuple[FieldRule, ...]
) -> None:
    first = plan_contact(workspace, ghl, base, fields, REGION)
    after = apply_plan(workspace, ghl, first)

    second = plan_contact(*after, first.base, fields, REGION)

    assert second.to_ghl == ()
    assert not second.to_workspace
    assert second.base == first.base
    assert all(conflict.winner is None for conflict in second.conflicts)


@given(contacts, rules())
def test_planning_again_after_creating_plans_nothing(
    workspace: Contact, fields: tuple[FieldRule, ...]
) -> None:
    sendable = [
        rule for rule in fields if rule.field == "email" and goes_to_ghl(rule, creating=True)
    ]
    assume(sendable)
    someone = workspace.model_copy(
        update={"values": {**workspace.values, FieldName("email"): "Riku@Hinode.example"}}
    )
    first = plan_contact(someone, None, None, fields, REGION)
    nothing = make.ghl_contact({rule.ghl: None for rule in fields})
    after = apply_plan(someone, nothing, first)

    second = plan_contact(*after, first.base, fields, REGION)

    assert second.to_ghl == ()
    assert not second.to_workspace
    assert first.conflicts == second.conflicts == ()


@given(contacts, ghl_contacts, bases, rules())
def test_an_echo_before_the_base_was_saved_writes_nothing_back(
    workspace: Contact, ghl: GhlContact, base: Contact | None, fields: tuple[FieldRule, ...]
) -> None:
    first = plan_contact(workspace, ghl, base, fields, REGION)
    after = apply_plan(workspace, ghl, first)

    echo = plan_contact(*after, base, fields, REGION)

    agreed = {conflict.field for conflict in echo.conflicts if conflict.winner is None}
    assert fields_to_ghl(echo, fields) == {}
    assert not echo.to_workspace.values.keys() - agreed


@given(contacts, ghl_contacts, bases, rules())
def test_a_field_that_was_not_received_is_never_written(
    workspace: Contact, ghl: GhlContact, base: Contact | None, fields: tuple[FieldRule, ...]
) -> None:
    plan = plan_contact(workspace, ghl, base, fields, REGION)

    for field in fields_to_ghl(plan, fields):
        assert field in workspace.values
        assert is_custom_or_received(field, ghl)
    for field in plan.to_workspace.values:
        assert is_custom_or_received(field, ghl)
    if workspace.tags is None or ghl.tags is None:
        assert not plan.to_workspace.tags_added | plan.to_workspace.tags_removed
        assert not any(isinstance(action, AddTags | RemoveTags) for action in plan.to_ghl)


@given(contacts, ghl_contacts, bases, rules())
def test_a_field_is_written_only_where_its_rule_lets_it(
    workspace: Contact, ghl: GhlContact, base: Contact | None, fields: tuple[FieldRule, ...]
) -> None:
    plan = plan_contact(workspace, ghl, base, fields, REGION)
    by_field = {rule.field: rule for rule in fields}

    for field, value in fields_to_ghl(plan, fields).items():
        assert goes_to_ghl(by_field[field], creating=False)
        assert not is_empty(value) or by_field[field].empty_wipes
    for field, value in plan.to_workspace.values.items():
        assert goes_to_workspace(by_field[field])
        assert not is_empty(value) or by_field[field].empty_wipes


@given(contacts, ghl_contacts, bases, rules())
def test_every_overwritten_human_value_has_a_conflict_row(
    workspace: Contact, ghl: GhlContact, base: Contact | None, fields: tuple[FieldRule, ...]
) -> None:
    plan = plan_contact(workspace, ghl, base, fields, REGION)
    remote = map_from_ghl(ghl, fields).values
    agreed = base.values if base else {}
    rows = {conflict.field: conflict for conflict in plan.conflicts}

    for written, lost in (
        (fields_to_ghl(plan, fields), remote),
        (plan.to_workspace.values, workspace.values),
    ):
        for field in written:
            value = lost.get(field)
            was_agreed = field in agreed and is_same(field, value, agreed[field], REGION)
            only_capitals = field == "first_name" and str(value) == str(agreed.get(field)).lower()
            if not is_empty(value) and not was_agreed and not only_capitals:
                assert value in (rows[field].workspace, rows[field].ghl)


@given(contacts, ghl_contacts, bases, rules())
def test_a_tag_nobody_took_off_stays(
    workspace: Contact, ghl: GhlContact, base: Contact | None, fields: tuple[FieldRule, ...]
) -> None:
    plan = plan_contact(workspace, ghl, base, fields, REGION)
    agreed = {clean_tag(tag) for tag in (base.tags if base else None) or ()}
    local = {clean_tag(tag) for tag in workspace.tags or ()}
    remote = {clean_tag(tag) for tag in ghl.tags or ()}
    taken = chain.from_iterable(a.tags for a in plan.to_ghl if isinstance(a, RemoveTags))

    assert {clean_tag(tag) for tag in taken} <= agreed - local
    assert {clean_tag(tag) for tag in plan.to_workspace.tags_removed} <= agreed - remote


@given(contacts, ghl_contacts, bases, rules(), st.data())
def test_fields_do_not_know_of_one_another(
    workspace: Contact,
    ghl: GhlContact,
    base: Contact | None,
    fields: tuple[FieldRule, ...],
    data: st.DataObject,
) -> None:
    remote = map_from_ghl(ghl, fields)
    at_once = merge_contacts(workspace, remote, base, fields, REGION)
    shuffled = data.draw(st.permutations(fields))
    one_by_one = [merge_contacts(workspace, remote, base, [rule], REGION) for rule in shuffled]

    assert at_once.values_to_ghl == {k: v for m in one_by_one for k, v in m.values_to_ghl.items()}
    assert at_once.to_workspace.values == {
        k: v for m in one_by_one for k, v in m.to_workspace.values.items()
    }
    assert {row.field: row for row in at_once.conflicts} == {
        row.field: row for m in one_by_one for row in m.conflicts
    }


@given(contacts, ghl_contacts, bases, rules(), st.sampled_from(["workspace", "ghl"]))
def test_a_later_edit_still_travels(
    workspace: Contact,
    ghl: GhlContact,
    base: Contact | None,
    fields: tuple[FieldRule, ...],
    side: str,
) -> None:
    first = plan_contact(workspace, ghl, base, fields, REGION)
    workspace, ghl = apply_plan(workspace, ghl, first)
    waiting = {conflict.field for conflict in first.conflicts if conflict.winner is None}
    for rule in fields:
        received = is_custom_or_received(rule.field, ghl)
        if rule.field in waiting or not received:
            continue
        local, remote = workspace, ghl
        if side == "workspace":
            values = {**workspace.values, rule.field: "fresh"}
            local = workspace.model_copy(update={"values": values})
            should = goes_to_ghl(rule, creating=False)
        else:
            values = {**ghl.values, ghl_name(rule.field): "fresh"}
            remote = ghl.model_copy(update={"values": values})
            should = goes_to_workspace(rule)
        plan = plan_contact(local, remote, first.base, fields, REGION)
        written = {**fields_to_ghl(plan, fields), **plan.to_workspace.values}
        asked = {conflict.field for conflict in plan.conflicts}
        assert not should or written.get(rule.field) == "fresh" or rule.field in asked

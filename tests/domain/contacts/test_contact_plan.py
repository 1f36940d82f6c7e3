import pytest

from tests import make
from timerex_ghl.domain.contacts.contact_plan import as_pulled, is_as_planned, plan_contact
from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES
from timerex_ghl.domain.shared.actions import (
    AddTags,
    ContactAction,
    ContactPlan,
    CreateContact,
    RemoveTags,
    UpdateContact,
    WorkspaceChange,
)
from timerex_ghl.domain.shared.errors import ReviewNeededError
from timerex_ghl.domain.shared.models import (
    Contact,
    Direction,
    FieldName,
    FieldRule,
    GhlContact,
    GhlContactId,
)

RIKU = make.ghl_contact().id


def plan(
    workspace: Contact,
    ghl: GhlContact | None,
    base: Contact | None = None,
    rules: tuple[FieldRule, ...] = DEFAULT_RULES,
) -> ContactPlan:
    return plan_contact(workspace, ghl, base, rules, "JP")


def sent(planned: ContactPlan) -> tuple[ContactAction, ...]:
    """Return what is sent, without the bases."""
    nothing = Contact(values={})
    return tuple(action.model_copy(update={"base": nothing}) for action in planned.to_ghl)


def test_a_person_new_to_ghl_is_created_and_tagged() -> None:
    someone = make.contact(
        company="Hinode Foods", phone="090-1234-5678", city=None, status="lead", tags=["VIP"]
    )

    planned = plan(someone, None)

    values = {
        "firstName": "陸",
        "lastName": "佐藤",
        "email": "riku@hinode.example",
        "phone": "+819012345678",
        "companyName": "Hinode Foods",
    }
    assert sent(planned) == (
        CreateContact.model_validate({"values": values}),
        AddTags(contact_id=GhlContactId(""), tags=frozenset({"vip"})),
    )
    assert not planned.to_workspace
    assert planned.conflicts == ()
    assert planned.base.values[FieldName("phone")] == "090-1234-5678"


def test_a_person_without_tags_costs_one_call() -> None:
    assert [action.kind for action in plan(make.contact(), None).to_ghl] == ["contact.create"]
    assert [action.kind for action in plan(make.contact(tags=None), None).to_ghl] == [
        "contact.create"
    ]


@pytest.mark.parametrize(
    "someone",
    [
        make.contact({"first_name": "陸"}),
        make.contact({"email": "riku", "phone": "12"}),
        make.contact({"email": None, "phone": ""}),
    ],
)
def test_a_person_new_to_ghl_without_a_key_needs_a_review(someone: Contact) -> None:
    with pytest.raises(ReviewNeededError) as raised:
        plan(someone, None)

    assert raised.value.kind == "no-key"
    assert "riku" not in str(raised.value)


def test_a_key_that_may_not_travel_is_no_key() -> None:
    rules = (make.rule("email", direction=Direction.TO_WORKSPACE), make.rule("city"))

    with pytest.raises(ReviewNeededError):
        plan(make.contact(), None, rules=rules)


def test_a_linked_person_without_a_key_is_kept_in_sync() -> None:
    base = make.contact({"city": "大阪"})

    planned = plan(make.contact({"city": "堺"}), make.ghl_contact({"city": "大阪"}), base)

    assert [action.kind for action in planned.to_ghl] == ["contact.update"]


def test_only_what_changed_travels_values_first_then_tags() -> None:
    base = make.contact(city="大阪", tags=["old", "kept"])
    local = make.contact(city="堺", phone="090-1234-5678", tags=["new", "kept"])
    remote = make.ghl_contact(city="大阪", phone=None, tags=["old", "kept", "theirs"])

    planned = plan(local, remote, base)

    values = {"phone": "+819012345678", "city": "堺"}
    assert sent(planned) == (
        UpdateContact.model_validate({"contact_id": RIKU, "values": values}),
        AddTags(contact_id=RIKU, tags=frozenset({"new"})),
        RemoveTags(contact_id=RIKU, tags=frozenset({"old"})),
    )
    assert planned.to_workspace == WorkspaceChange(tags_added=frozenset({"theirs"}))


def test_two_people_who_agree_cost_nothing() -> None:
    local = make.contact(email="Riku@Hinode.example", phone="090-1234-5678", tags=["VIP"])
    remote = make.ghl_contact(phone="+819012345678", tags=["vip"])

    planned = plan(local, remote, local)

    assert planned.to_ghl == ()
    assert not planned.to_workspace


def test_a_company_is_written_once_and_read_ever_after() -> None:
    base = make.contact(company="Hinode Foods")
    remote = make.ghl_contact(companyName="Hinode Foods")

    edited_here = plan(make.contact(company="Hinode"), remote, base)
    edited_there = plan(base, make.ghl_contact(companyName="Hinode"), base)

    assert edited_here.to_ghl == ()
    assert edited_here.base.values == base.values
    assert edited_there.to_workspace.values == {"company": "Hinode"}


def test_a_phone_that_is_no_number_goes_as_it_is() -> None:
    planned = plan(make.contact(phone="ext. 12"), make.ghl_contact(phone=None), make.contact())

    assert sent(planned)[0] == UpdateContact.model_validate(
        {"contact_id": RIKU, "values": {"phone": "ext. 12"}}
    )


def test_an_emptied_field_whose_rule_wipes_is_sent_empty() -> None:
    rules = (make.rule("city", empty_wipes=True),)
    base = make.contact({"city": "大阪"})

    planned = plan(make.contact({"city": None}), make.ghl_contact({"city": "大阪"}), base, rules)

    assert sent(planned)[0] == UpdateContact.model_validate(
        {"contact_id": RIKU, "values": {"city": None}}
    )
    assert planned.base.values == {FieldName("city"): None}


CITY = UpdateContact.model_validate({"contact_id": RIKU, "values": {"city": "堺"}})
NEW_TAG = AddTags(contact_id=RIKU, tags=frozenset({"new"}))
OLD_TAG = RemoveTags(contact_id=RIKU, tags=frozenset({"old"}))


@pytest.mark.parametrize(
    ("actions", "after"),
    [
        ((), make.ghl_contact(city="大阪", tags=["old"])),
        ((CITY,), make.ghl_contact(city="堺", tags=["old"])),
        ((CITY, NEW_TAG), make.ghl_contact(city="堺", tags=["old", "new"])),
        ((NEW_TAG, OLD_TAG), make.ghl_contact(city="大阪", tags=["new"])),
        ((OLD_TAG,), make.ghl_contact(city="大阪", tags=None)),
    ],
)
def test_a_contact_that_has_what_was_sent_is_as_planned(
    actions: tuple[ContactAction, ...], after: GhlContact
) -> None:
    before = make.ghl_contact(city="大阪", tags=["old"])

    assert is_as_planned(before, actions, after)


@pytest.mark.parametrize(
    ("actions", "after"),
    [
        ((CITY,), make.ghl_contact(city="堺", country="JP", tags=["old"])),
        ((CITY,), make.ghl_contact(city="Sakai", tags=["old"])),
        ((CITY,), make.ghl_contact(city="堺", tags=["old", "theirs"])),
        ((NEW_TAG,), make.ghl_contact(city="大阪", tags=["new"])),
        ((OLD_TAG,), make.ghl_contact(city="大阪", tags=["old"])),
    ],
)
def test_a_contact_that_ghl_changed_by_itself_is_not_as_planned(
    actions: tuple[ContactAction, ...], after: GhlContact
) -> None:
    before = make.ghl_contact(city="大阪", tags=["old"])

    assert not is_as_planned(before, actions, after)


def test_a_new_contact_is_never_as_planned() -> None:
    """What GHL fills in on creation is only known from its answer."""
    create = CreateContact.model_validate({"values": {"city": "堺"}})

    assert not is_as_planned(None, [create], make.ghl_contact({"city": "堺"}))


def test_what_may_not_be_written_to_ghl_keeps_its_base() -> None:
    base = make.contact(city="大阪", tags=["old", "kept"])
    local = make.contact(city="堺", state="大阪府", tags=["new", "kept"])
    remote = make.ghl_contact(
        city="大阪", state=None, website="hinode.example", tags=["old", "kept"]
    )

    pulled = as_pulled(plan(local, remote, base), base)

    assert pulled.to_ghl == ()
    assert pulled.to_workspace.values == {"website": "hinode.example"}
    assert pulled.base.values == {**base.values, "website": "hinode.example"}
    assert pulled.base.tags == base.tags

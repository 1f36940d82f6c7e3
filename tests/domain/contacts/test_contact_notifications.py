from timerex_ghl.domain.contacts.contact_notifications import has_news
from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES
from timerex_ghl.domain.shared.models import (
    FieldRule,
    GhlContact,
    GhlContactId,
    GhlField,
    LocationId,
    Value,
)

CUSTOM = FieldRule.model_validate({"field": "custom.size", "ghl": "customFields.abc"})


def contact(tags: tuple[str, ...] | None = ("vip",), **values: Value) -> GhlContact:
    return GhlContact(
        id=GhlContactId("g1"),
        location_id=LocationId("l1"),
        values={GhlField(name.replace("__", ".")): value for name, value in values.items()},
        tags=None if tags is None else frozenset(tags),
    )


KNOWN = contact(firstName="Riku", email="riku@hinode.example", phone="+819012345602", city=None)


def is_news(notification: GhlContact, known: GhlContact = KNOWN) -> bool:
    return has_news(notification, known, (*DEFAULT_RULES, CUSTOM), "JP")


def test_what_is_known_is_no_news_however_it_is_spelled() -> None:
    notification = contact(
        (" VIP",), firstName="Riku ", email="RIKU@hinode.example", phone="090-1234-5602"
    )

    assert not is_news(notification)


def test_another_value_is_news() -> None:
    notification = contact(firstName="Riku", email="riku@hinode.example", phone="+819012345699")

    assert is_news(notification)


def test_a_field_that_is_absent_may_have_been_emptied() -> None:
    assert is_news(contact(firstName="Riku", email="riku@hinode.example"))


def test_a_tag_that_came_or_went_is_news() -> None:
    same = {"firstName": "Riku", "email": "riku@hinode.example", "phone": "+819012345602"}

    assert is_news(contact(("vip", "new"), **same))
    assert is_news(contact((), **same))
    assert is_news(contact(None, **same))


def test_a_field_of_the_location_s_own_counts() -> None:
    known = contact(customFields__abc="50")

    assert not is_news(contact(customFields__abc="50"), known)
    assert is_news(contact(customFields__abc="51"), known)


def test_a_field_that_never_travels_to_the_workspace_does_not_count() -> None:
    assert not is_news(contact(source="form"), contact(source=None))

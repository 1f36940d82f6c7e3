"""Compare a GHL webhook about a contact with what is already known."""

from collections.abc import Iterable

from timerex_ghl.domain.contacts.mapping import goes_to_workspace, is_custom
from timerex_ghl.domain.shared.models import FieldRule, GhlContact, GhlField
from timerex_ghl.domain.shared.normal import clean_tag, compare_key

NOTIFIED_FIELDS = frozenset(
    GhlField(name)
    for name in (
        "firstName", "lastName", "email", "phone", "address1", "city", "state", "postalCode",
        "country", "companyName", "source", "website", "dateOfBirth", "assignedTo",
    )
)  # fmt: skip
"""The standard fields that contact events include; they omit an empty one.

Source: the vendor's pages of ContactCreate and ContactUpdate, docs/vendors/ghl.md#webhooks.
"""


def has_news(
    notification: GhlContact, known: GhlContact, rules: Iterable[FieldRule], region: str
) -> bool:
    """Return whether a notification differs from the known contact.

    Every field that such an event would include counts: one that is absent may have been emptied.
    Changes of fields it never includes are found by the next poll.
    """
    if notification.tags is None or known.tags is None:
        return True
    if {*map(clean_tag, notification.tags)} != {*map(clean_tag, known.tags)}:
        return True
    return any(
        compare_key(rule.field, notification.values.get(rule.ghl), region)
        != compare_key(rule.field, known.values.get(rule.ghl), region)
        for rule in rules
        if goes_to_workspace(rule) and (rule.ghl in NOTIFIED_FIELDS or is_custom(rule.ghl))
    )

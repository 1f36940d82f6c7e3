"""The base that follows from each write about a contact, whether its answer was read or not."""

from timerex_ghl.domain.shared.actions import (
    AddTags,
    ContactAction,
    CreateContact,
    RemoveTags,
    UpdateContact,
)
from timerex_ghl.domain.shared.models import Contact
from timerex_ghl.domain.shared.normal import is_empty, is_same


def base_after(base: Contact | None, action: ContactAction) -> Contact:
    """Return the base once an action of a plan is done, and those before it."""
    values = base.values if base else {}
    return Contact(values={**values, **action.base.values}, tags=action.base.tags)


def base_if_shown(
    base: Contact | None, action: ContactAction, ghl: Contact, region: str
) -> Contact | None:
    """Return the base after an action whose answer was never read; None: GHL does not show it.

    An update is sent as a whole: where GHL shows one of its values, it has got them all, and the
    others were edited there since. Of a creation only filled values count, and of added tags those
    that are there: what is missing is sent again.

    Args:
        base: The base before the action.
        action: It may have been done.
        ghl: The contact in GHL now, in canonical fields.
        region: Reads phone numbers written without a country code.
    """
    tags, agreed = ghl.tags or frozenset(), action.base
    match action:
        case CreateContact():
            values = {
                field: value
                for field, value in agreed.values.items()
                if is_empty(value) or not is_empty(ghl.values.get(field))
            }
            return Contact(values=values, tags=agreed.tags)
        case UpdateContact():
            is_shown = any(
                is_same(field, ghl.values.get(field), value, region)
                for field, value in agreed.values.items()
            )
        case AddTags(tags=added):
            is_shown = bool(added & tags)
            missing = added - tags
            agreed = Contact(values={}, tags=(agreed.tags or frozenset()) - missing)
        case RemoveTags(tags=removed):
            is_shown = not removed & tags
    if not is_shown:
        return None
    return Contact(values={**(base.values if base else {}), **agreed.values}, tags=agreed.tags)

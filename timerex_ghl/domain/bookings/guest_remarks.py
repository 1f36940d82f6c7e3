"""What a booking's note tells of a guest who is not quite as the contact that has the note."""

from collections.abc import Collection
from typing import NamedTuple

from timerex_ghl.domain.bookings.note_text import one_line
from timerex_ghl.domain.shared.models import Booking, Contact, FieldName, GhlContactId
from timerex_ghl.domain.shared.normal import fold_name

FIRST_NAME, LAST_NAME, PHONE = map(FieldName, ("first_name", "last_name", "phone"))


class MirrorOwner(NamedTuple):
    """The contact that a booking's mirror belongs to.

    Attributes:
        contact: The workspace contact; None where nothing is known of it.
        withheld: Fields that GHL's contact lacks, since another contact there has the value.
    """

    ghl_id: GhlContactId
    contact: Contact | None = None
    withheld: Collection[FieldName] = ()


def remarks_on_guest(booking: Booking, owner: MirrorOwner) -> tuple[str, ...]:
    """Return a note's lines about the guest's name, where it differs, and a withheld phone."""
    contact = owner.contact
    if contact is None:
        return ()
    guest = one_line(booking.guest_name or "")
    phone = contact.values.get(PHONE)
    lines: list[str] = []
    if guest and fold_name(guest) not in _names_of(contact):
        lines.append(f"Guest: {guest}")
    if PHONE in owner.withheld and isinstance(phone, str):
        lines.append(f"Phone: {one_line(phone)} (not on this contact: another contact has it)")
    return tuple(lines)


def _names_of(contact: Contact) -> set[str]:
    """Return the contact's full name in both orders."""
    values = (contact.values.get(field) for field in (FIRST_NAME, LAST_NAME))
    first, last = (value if isinstance(value, str) else "" for value in values)
    return {fold_name(first + last), fold_name(last + first)}

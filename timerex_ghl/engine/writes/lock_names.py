"""Names of locks. They appear in errors and logs, so a person's e-mail and phone are hashed."""

from hashlib import blake2b

from timerex_ghl.domain.activities.activity_fields import (
    ActivityKey,
    ActivityKind,
    ghl_activity_ref,
)
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.models import BookingId, ConnectionName, ContactId
from timerex_ghl.domain.shared.normal import number_of
from timerex_ghl.domain.shared.record_ref import RecordRef


def lock_of_job(connection: ConnectionName, job: str) -> str:
    """Return the lease name of a whole-connection job."""
    return f"{connection}:job:{job}"


def lock_of_live() -> str:
    """Return the lease name of the live worker."""
    return "live"


def lock_of_contact(connection: ConnectionName, contact_id: ContactId) -> str:
    """Return the lock name of a workspace contact."""
    return f"{connection}:{RecordRef.contact(contact_id)}"


def lock_of_booking(connection: ConnectionName, booking_id: BookingId) -> str:
    """Return the lock name of a booking."""
    return f"{connection}:{RecordRef.booking(booking_id)}"


def lock_of_review(connection: ConnectionName, review_id: str) -> str:
    """Return the lock name of a review, taken while it is resolved."""
    return f"{connection}:review:{review_id}"


def locks_of_keys(connection: ConnectionName, keys: Keys) -> list[str]:
    """Return the lock names of e-mails and phones, whether or not a contact has them yet.

    A phone's extension does not count: GHL keeps the number without it.
    """
    names = keys.emails | {number_of(phone) for phone in keys.phones}
    return [
        f"{connection}:key:{blake2b(name.encode(), digest_size=12).hexdigest()}"
        for name in sorted(names)
    ]


def lock_of_activity(connection: ConnectionName, key: ActivityKey) -> str:
    """Return the lock name of a note or task of the workspace."""
    return f"{connection}:{key}"


def lock_of_remote(connection: ConnectionName, kind: ActivityKind, remote_id: str) -> str:
    """Return the lock name of a note or task of GHL that is not linked yet."""
    return f"{connection}:{ghl_activity_ref(kind, remote_id)}"

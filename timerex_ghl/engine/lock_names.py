"""Names of locks. They stand in error texts and logs, so keys of persons are digested."""

from hashlib import blake2b

from timerex_ghl.domain.activities import ActivityKey, ActivityKind
from timerex_ghl.domain.identity import Keys
from timerex_ghl.domain.models import BookingId, ConnectionName, ContactId


def lock_of_job(connection: ConnectionName, job: str) -> str:
    """Name the lease of a whole-connection job."""
    return f"{connection}:job:{job}"


def lock_of_live() -> str:
    """Name the lease of the one worker that carries events as they come."""
    return "live"


def lock_of_contact(connection: ConnectionName, contact_id: ContactId) -> str:
    """Name the lock of a person of the workspace."""
    return f"{connection}:contact:{contact_id}"


def lock_of_booking(connection: ConnectionName, booking_id: BookingId) -> str:
    """Name the lock of a booking."""
    return f"{connection}:booking:{booking_id}"


def lock_of_review(connection: ConnectionName, review_id: str) -> str:
    """Name the lock of a review while somebody settles it."""
    return f"{connection}:review:{review_id}"


def locks_of_keys(connection: ConnectionName, keys: Keys) -> list[str]:
    """Name the locks of whoever has this e-mail or phone, known yet or not."""
    return [
        f"{connection}:key:{blake2b(key.encode(), digest_size=12).hexdigest()}"
        for key in keys
        if key is not None
    ]


def lock_of_activity(connection: ConnectionName, key: ActivityKey) -> str:
    """Name the lock of a note or task of the workspace."""
    return f"{connection}:{key}"


def lock_of_remote(connection: ConnectionName, kind: ActivityKind, remote_id: str) -> str:
    """Name the lock of a note or task of GHL that nobody here knows yet."""
    return f"{connection}:ghl-{kind}:{remote_id}"

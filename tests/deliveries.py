"""Bodies of TimeRex's webhooks: confirmed, cancelled, and both halves of a reschedule."""

from datetime import UTC, datetime, timedelta
from typing import Any


def confirmed(
    id_: str = "b1", email: str = "riku@hinode.example", **changes: object
) -> dict[str, Any]:
    return _delivery("event_confirmed", id_, email, changes)


def cancelled(
    id_: str = "b1", email: str = "riku@hinode.example", **changes: object
) -> dict[str, Any]:
    return _delivery("event_cancelled", id_, email, changes)


def moved(old: str, new: str, email: str = "riku@hinode.example") -> tuple[dict[str, Any], ...]:
    """Make the two halves of a reschedule."""
    later = datetime(2026, 2, 17, 1, tzinfo=UTC)
    return (
        cancelled(old, email, is_changed=True, new_evnet_id=new),
        confirmed(new, email, is_changed=True, old_event_id=old, starts_at=later),
    )


def _delivery(kind: str, id_: str, email: str, changes: dict[str, Any]) -> dict[str, Any]:
    starts_at = changes.pop("starts_at", datetime(2026, 2, 10, 1, tzinfo=UTC))
    guest = changes.pop("guest_name", "Riku Sato")
    event = {
        "id": id_,
        "status": 1,
        "start_datetime": starts_at.isoformat(),
        "end_datetime": (starts_at + timedelta(minutes=30)).isoformat(),
        "calendar_timezone": "Asia/Tokyo",
        "hosts": [{"name": "Kana Mori", "email": "kana@aoba.example"}],
        "form": [
            {"field_type": "guest_name", "value": guest},
            {"field_type": "guest_email", "value": email},
        ],
        "is_changed": False,
        **changes,
    }
    return {"webhook_type": kind, "calendar_name": "Onboarding call 30", "event": event}

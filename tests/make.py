"""Factories of invented records: a test gives only the fields it is about."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from timerex_ghl.domain.shared.models import (
    Booking,
    BookingId,
    BookingState,
    ConflictRule,
    Contact,
    ContactId,
    Direction,
    FieldName,
    FieldRule,
    FormAnswer,
    GhlContact,
    GhlContactId,
    GhlField,
    GhlNote,
    GhlNoteId,
    LocationId,
    Value,
    WorkspaceContact,
)

NOW = datetime(2026, 2, 3, 5, 0, tzinfo=UTC)
STARTS = datetime(2026, 2, 10, 1, 0, tzinfo=UTC)
LOCATION = LocationId("loc-aoba")


def booking(
    id_: str = "4f0a9c2be7716d83a5c1",
    *,
    state: BookingState = BookingState.CONFIRMED,
    starts_at: datetime = STARTS,
    minutes: int = 30,
    old_id: str | None = None,
    new_id: str | None = None,
    **changes: object,
) -> Booking:
    """Sato Riku's half hour in Tokyo."""
    fields: dict[str, object] = {
        "id": BookingId(id_),
        "state": state,
        "calendar_name": "Onboarding call 30",
        "calendar_id": "91d3e0b7aa52c48f6e10",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=minutes),
        "timezone": "Asia/Tokyo",
        "guest_name": "佐藤 陸",
        "guest_email": "riku@hinode.example",
        "guest_company": "Hinode Foods",
        "guest_comment": None,
        "host_names": ("Mori Kana",),
        "old_id": old_id,
        "new_id": new_id,
    }
    return Booking.model_validate({**fields, **changes})


def answer(label: str, value: Value, *, field_type: str = "dropdown") -> FormAnswer:
    return FormAnswer(field_type=field_type, label=label, value=value)


def contact(
    values: Mapping[str, Value] | None = None,
    *,
    tags: Iterable[str] | None = (),
    updated_at: datetime | None = NOW,
    **more: Value,
) -> Contact:
    """Sato Riku in canonical fields. `values` replaces all of them, keywords add or change some."""
    known = {"first_name": "陸", "last_name": "佐藤", "email": "riku@hinode.example"}
    chosen = known if values is None else values
    return Contact(
        values={FieldName(name): value for name, value in {**chosen, **more}.items()},
        tags=None if tags is None else frozenset(tags),
        updated_at=updated_at,
    )


def workspace_contact(
    id_: str = "c_00000000000000000001",
    *,
    version: int = 1,
    of: Contact | None = None,
) -> WorkspaceContact:
    return WorkspaceContact(id=ContactId(id_), version=version, contact=of or contact())


def ghl_contact(
    values: Mapping[str, Value] | None = None,
    *,
    id_: str = "ghl-riku",
    tags: Iterable[str] | None = (),
    updated_at: datetime | None = NOW,
    location_id: LocationId = LOCATION,
    **more: Value,
) -> GhlContact:
    """Sato Riku as GHL answers. `values` replaces all fields, keywords add or change some."""
    known = {"firstName": "陸", "lastName": "佐藤", "email": "riku@hinode.example"}
    chosen = known if values is None else values
    return GhlContact(
        id=GhlContactId(id_),
        location_id=location_id,
        values={GhlField(name): value for name, value in {**chosen, **more}.items()},
        tags=None if tags is None else frozenset(tags),
        created_at=NOW,
        updated_at=updated_at,
    )


def ghl_note(
    text: str = "A note",
    *,
    id_: str = "note-1",
    contact_id: str = "ghl-riku",
) -> GhlNote:
    return GhlNote(
        id=GhlNoteId(id_), contact_id=GhlContactId(contact_id), text=text, created_at=NOW
    )


def rule(
    field: str = "city",
    ghl: str | None = None,
    *,
    direction: Direction = Direction.BOTH,
    conflict: ConflictRule = ConflictRule.NEWEST,
    create_only: bool = False,
    empty_wipes: bool = False,
    answer_label: str | None = None,
) -> FieldRule:
    """Make a field rule; the field's name in GHL is the same unless given."""
    return FieldRule(
        field=FieldName(field),
        ghl=GhlField(ghl or field),
        direction=direction,
        conflict=conflict,
        create_only=create_only,
        empty_wipes=empty_wipes,
        answer_label=answer_label,
    )

"""How a review may be resolved, and which decision fits which review."""

from collections.abc import Collection
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from timerex_ghl.domain.shared.errors import ReviewKind, SettingsError
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import FieldName, Record, Value
from timerex_ghl.domain.shared.record_ref import RecordRef


class Way(StrEnum):
    """The ways to resolve a review.

    KEEP: one side's value wins. LINK: these two are the same person. APART: they are not, do not
    ask again. DROP: leave it as it is, do not ask again. RETRY: the cause is gone, try again.
    """

    KEEP = "keep"
    LINK = "link"
    APART = "apart"
    DROP = "drop"
    RETRY = "retry"


WAYS: dict[ReviewKind, tuple[Way, ...]] = {
    "conflict": (Way.KEEP,),
    "identity": (Way.LINK, Way.APART, Way.RETRY, Way.DROP),
    "no-key": (Way.KEEP, Way.RETRY, Way.DROP),
    "gone": (Way.LINK, Way.RETRY, Way.DROP),
    "refused": (Way.KEEP, Way.RETRY, Way.DROP),
    "dead-letter": (Way.RETRY, Way.DROP),
    "deletes": (Way.RETRY, Way.DROP),
    "lost-move": (Way.RETRY, Way.DROP),
}
"""The ways to resolve each kind of review, as far as its subject allows: see `ways_of`.

KEEP for other kinds than conflicts needs values. For deletes, RETRY applies them all, and DROP
keeps the records. For a lost move, RETRY looks for the new time again, and DROP leaves the old one
cancelled.
"""


class Decision(Record):
    """One person's decision about a review.

    Attributes:
        by: Who decides.
        keep: Whose value wins, for every field that `fields` does not name.
        fields: Whose value wins, field by field.
        values: New values for both sides. Only from a terminal, never through Prefect.
        link_to: For LINK: the GHL contact, or for a GHL contact the workspace contact.
    """

    way: Way
    by: str = Field(min_length=1, max_length=100)
    keep: Side | None = None
    fields: dict[FieldName, Side] = Field(default_factory=dict[FieldName, Side])
    values: dict[FieldName, Value] = Field(default_factory=dict[FieldName, Value])
    link_to: str | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.way is Way.KEEP) != bool(self.keep or self.fields or self.values):
            raise ValueError("keep, fields or values go with the way keep, which needs one of them")
        if not all(self.values.values()):
            raise ValueError("a typed value cannot be empty")
        if (self.way is Way.LINK) != (self.link_to is not None):
            raise ValueError("link_to goes with the way link, which needs it")
        return self

    def in_words(self) -> str:
        """Return the decision in words, without personal data."""
        chosen = [f"{field}: {side}" for field, side in self.fields.items()]
        typed = [f"{field}: typed in" for field in self.values]
        details = {
            Way.LINK: [self.link_to or ""],
            Way.KEEP: [self.keep or "", *chosen, *typed],
        }
        return " ".join([self.way, ", ".join(filter(None, details.get(self.way, [])))]).strip()


def ways_of(kind: ReviewKind, subject: RecordRef) -> tuple[Way, ...]:
    """Return the ways to resolve a review about this record.

    Values can be typed for contacts only. A booking that TimeRex lacks has nobody to link.
    """
    without: set[Way] = set()
    if kind != "conflict" and subject.kind != "contact":
        without.add(Way.KEEP)
    if subject.kind == "booking":
        without.add(Way.LINK)
    return tuple(way for way in WAYS[kind] if way not in without)


def check_way(kind: ReviewKind, subject: RecordRef, decision: Decision) -> None:
    """Refuse a decision that does not fit the review.

    Raises:
        SettingsError: The message says what fits.
    """
    fits = ways_of(kind, subject)
    if decision.way not in fits:
        raise SettingsError(
            f"a review of kind {kind} about a {subject.kind} can be resolved by"
            f" {', '.join(fits)}, not by {decision.way}"
        )
    if decision.way is Way.KEEP and kind != "conflict" and not decision.values:
        raise SettingsError(f"a review of kind {kind} is not a conflict: type values, or retry")


def chosen_winners(
    decision: Decision, asked: FieldName, waiting: Collection[FieldName]
) -> dict[FieldName, Side]:
    """Return whose value of which field wins. A typed value counts as the workspace's.

    Args:
        decision: The person's decision.
        asked: The field that the review is about.
        waiting: Every field of the contact with an open conflict.

    Raises:
        SettingsError: The decision lacks `asked`, or names a field without an open conflict.
    """
    winners: dict[FieldName, Side] = {asked: decision.keep} if decision.keep else {}
    winners |= decision.fields
    winners |= dict.fromkeys(decision.values, "workspace")
    if asked not in winners:
        raise SettingsError(f"this review is about {asked}: say whose {asked} to keep")
    for field in winners:
        if field not in waiting:
            raise SettingsError(f"{field} has no open conflict for this contact: leave it out")
    return winners

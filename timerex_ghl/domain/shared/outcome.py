"""Outcomes of records, and their counts."""

from typing import Literal

from pydantic import Field

from timerex_ghl.domain.shared.models import Record

What = Literal[
    "applied",
    "no-op",
    "superseded",
    "ignored",
    "quarantined",
    "review",
    "waiting",
    "dead",
    "skipped",
]


class Outcome(Record):
    """The outcome of processing one record or event.

    Attributes:
        what: applied: something was written to the workspace or GHL. no-op: both sides agreed
            already. superseded: a later event covers it. ignored: it concerns no record of ours.
            quarantined: TimeRex does not confirm it. review: a person must decide. waiting: it is
            retried later. dead: given up, kept for a person. skipped: an earlier try of this task
            did it.
        writes: Calls that changed something in GHL.
        contact_id: The GHL contact it was about, where one is known.
        detail: What the audit stores of it: ids and field names, no personal data.
    """

    what: What
    writes: int = 0
    contact_id: str | None = None
    detail: dict[str, str | int | bool | None] = Field(default_factory=dict)


class Counts(Record):
    """The number of records for each outcome."""

    applied: int = 0
    no_op: int = 0
    superseded: int = 0
    ignored: int = 0
    quarantined: int = 0
    review: int = 0
    waiting: int = 0
    dead: int = 0
    writes: int = 0
    contact_ids: tuple[str, ...] = ()

    def __add__(self, other: "Counts") -> "Counts":
        """Add up two batches; the ids of the first hundred contacts are kept for links."""
        numbers = {
            name: getattr(self, name) + getattr(other, name)
            for name in type(self).model_fields
            if name != "contact_ids"
        }
        ids = dict.fromkeys((*self.contact_ids, *other.contact_ids))
        return Counts(**numbers, contact_ids=tuple(ids)[:100])

    @property
    def set_aside(self) -> int:
        """Return how many records a person has to look at."""
        return self.review + self.dead + self.quarantined

    def in_words(self) -> str:
        """Return the counts in one line, without those that are zero."""
        names = {
            "applied": "applied", "no_op": "already in sync", "superseded": "superseded",
            "ignored": "ignored", "quarantined": "in quarantine", "review": "for review",
            "waiting": "to retry", "dead": "given up",
        }  # fmt: skip
        said = [f"{getattr(self, key)} {word}" for key, word in names.items() if getattr(self, key)]
        return f"{', '.join(said) or 'nothing to do'}; {self.writes} writes to GHL"


def count(outcomes: list[Outcome]) -> Counts:
    """Add up outcomes."""
    total = Counts()
    for outcome in outcomes:
        if outcome.what == "skipped":
            continue
        one = {outcome.what.replace("-", "_"): 1, "writes": outcome.writes}
        ids = (outcome.contact_id,) if outcome.contact_id and outcome.what != "no-op" else ()
        total += Counts.model_validate({**one, "contact_ids": ids})
    return total

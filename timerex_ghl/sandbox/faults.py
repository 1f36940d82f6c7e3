"""Faults on request: which call goes wrong, and how."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from timerex_ghl.sandbox.aims import Aim

Kind: TypeAlias = Literal[
    "status",
    "status_after_commit",
    "delay",
    "delay_after_commit",
    "drop_before_commit",
    "drop_after_commit",
    "truncate",
    "drip",
    "html",
    "login_redirect",
    "headers",
    "stale",
]
"""What can happen to a call; `stale`, to one of GHL's that reads a record by its id."""


@dataclass
class InjectedFault:
    """One fault.

    Attributes:
        aim: At which operation, by its id in the vendor's OpenAPI.
        value: The status to answer; else milliseconds: of a delay, between two bytes, or of how
            long ago a stale answer was true.
        headers: What the answer's headers are changed to; None takes one away.
    """

    aim: Aim
    kind: Kind
    value: int = 0
    headers: dict[str, str | None] = field(default_factory=dict[str, str | None])


@dataclass
class Faults:
    """The faults that wait."""

    waiting: list[InjectedFault] = field(default_factory=list[InjectedFault])

    def strike(self, operation: str) -> InjectedFault | None:
        """Count a call; give the fault that strikes it: the oldest of those whose turn it is."""
        if not self.waiting:
            return None
        found = [fault for fault in self.waiting if fault.aim.sees(operation)]
        if found:
            found[0].aim.strike()
        self.waiting = [fault for fault in self.waiting if not fault.aim.spent]
        return found[0] if found else None

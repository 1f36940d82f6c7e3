"""Faults on request: which call fails, and how."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from timerex_ghl.sandbox.core.fault_rules import Aim

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
"""Kinds of faults. `stale` only applies to GHL calls that read a record by its id."""


@dataclass
class InjectedFault:
    """One fault.

    Attributes:
        aim: The operation, by its id in the vendor's OpenAPI.
        value: The status to answer; else milliseconds: of a delay, between two bytes, or the
            age of a stale answer.
        headers: Headers to change in the answer; None removes one.
    """

    aim: Aim
    kind: Kind
    value: int = 0
    headers: dict[str, str | None] = field(default_factory=dict[str, str | None])


@dataclass
class Faults:
    """The pending faults."""

    waiting: list[InjectedFault] = field(default_factory=list[InjectedFault])

    def strike(self, operation: str) -> InjectedFault | None:
        """Count a call; return the fault that hits it, the oldest if several do."""
        if not self.waiting:
            return None
        found = [fault for fault in self.waiting if fault.aim.sees(operation)]
        if found:
            found[0].aim.strike()
        self.waiting = [fault for fault in self.waiting if not fault.aim.spent]
        return found[0] if found else None

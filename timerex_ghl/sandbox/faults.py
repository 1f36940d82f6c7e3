"""Faults on request: the nth call of an operation goes wrong, once."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "delay", "drop_after_commit", "truncate"]


@dataclass
class Fault:
    """One fault.

    Attributes:
        operation: Its id, as in the vendor's OpenAPI; `*` for any.
        nth: Which matching call from now on it strikes; the first is 1.
        value: The status to answer, or the delay in milliseconds.
    """

    operation: str
    kind: Kind
    nth: int = 1
    value: int = 0
    seen: int = 0


@dataclass
class Faults:
    """The faults that wait."""

    waiting: list[Fault] = field(default_factory=list[Fault])

    def strike(self, operation: str) -> Fault | None:
        """Count a call; give the fault that strikes it and forget that one."""
        struck: Fault | None = None
        for fault in self.waiting:
            if fault.operation in {operation, "*"}:
                fault.seen += 1
                if struck is None and fault.seen >= fault.nth:
                    struck = fault
        if struck is not None:
            self.waiting.remove(struck)
        return struck

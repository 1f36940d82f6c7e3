"""Control of faults, for both services: which calls fail, and how."""

from http import HTTPStatus
from typing import Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from timerex_ghl.sandbox.control.control_requests import ControlOrder
from timerex_ghl.sandbox.core.clock import MachineClock
from timerex_ghl.sandbox.core.fault_rules import Aim
from timerex_ghl.sandbox.core.faults import InjectedFault, Kind


class AimOrder(ControlOrder):
    """Which of the next calls are hit: one, unless these fields say otherwise."""

    nth: PositiveInt = 1
    every: PositiveInt | None = None
    share: float = Field(default=1, gt=0, le=1)
    seed: int = 1
    times: PositiveInt | None = None
    for_s: PositiveFloat | None = None

    def aim(self, at: str, clock: MachineClock) -> Aim:
        """Return an aim at a name."""
        many = self.model_fields_set & {"every", "share", "for_s"}
        times = self.times or (None if many else 1)
        until = float("inf") if self.for_s is None else clock.now() + self.for_s
        return Aim(at, self.nth, self.every or 1, self.share, self.seed, times, until, clock)


class FaultOrder(AimOrder):
    """Which fault to add."""

    operation: str
    kind: Kind
    value: NonNegativeInt = 0
    headers: dict[str, str | None] = Field(default_factory=dict[str, str | None])

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.kind in {"status", "status_after_commit"}:
            HTTPStatus(self.value)
        elif self.kind in {"delay", "delay_after_commit", "drip", "stale"} and not self.value:
            raise ValueError(f"{self.kind} needs a value in milliseconds")
        elif self.kind == "headers" and not self.headers:
            raise ValueError("headers needs headers")
        return self

    def fault(self, clock: MachineClock) -> InjectedFault:
        """Make the fault."""
        return InjectedFault(self.aim(self.operation, clock), self.kind, self.value, self.headers)

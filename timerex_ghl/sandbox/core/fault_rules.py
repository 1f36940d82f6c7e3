"""Select which of the next calls or deliveries a fault hits."""

import random
from dataclasses import dataclass, field

from timerex_ghl.sandbox.core.clock import MachineClock


@dataclass
class Aim:
    """Counts calls or deliveries, and selects those to hit.

    Attributes:
        at: The name to count; `*` is any.
        nth: The first that can be hit, counted from 1.
        every: From there on, every n-th.
        share: Fraction of these, drawn with `seed`.
        times: Most hits in all; None is no limit.
        until: End time, by `clock`.
    """

    at: str = "*"
    nth: int = 1
    every: int = 1
    share: float = 1
    seed: int = 1
    times: int | None = 1
    until: float = float("inf")
    clock: MachineClock = field(default_factory=MachineClock)
    matched: int = 0
    struck: int = 0
    _due: int = field(init=False)
    _draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._due = self.nth
        self._draw = random.Random(self.seed)

    @property
    def spent(self) -> bool:
        """Return whether there are no more hits to come."""
        return self.struck == self.times or self.clock.now() >= self.until

    def sees(self, name: str) -> bool:
        """Count one; return whether it can be hit."""
        if self.at not in {name, "*"}:
            return False
        self.matched += 1
        if self.matched < self._due or self.spent:
            return False
        if self._draw.random() < self.share:
            return True
        self._due = self.matched + self.every
        return False

    def strike(self) -> None:
        """Hit the one counted last."""
        self.struck += 1
        self._due = self.matched + self.every

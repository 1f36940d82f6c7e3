"""Which of the calls or deliveries from now on something strikes."""

import random
from dataclasses import dataclass, field

from timerex_ghl.sandbox.clock import MachineClock


@dataclass
class Aim:
    """Counts what passes and tells whose turn it is.

    Attributes:
        at: The name that counts; `*` is any.
        nth: The first that may be struck, counted from 1.
        every: From there on, each so manieth.
        share: Of these, this share, drawn with `seed`.
        times: How many are struck in all; None is no end.
        until: When it ends, by `clock`.
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
        """Tell whether it will strike no more."""
        return self.struck == self.times or self.clock.now() >= self.until

    def sees(self, name: str) -> bool:
        """Count one that passes; tell whether it may be struck."""
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
        """Take the one it saw last."""
        self.struck += 1
        self._due = self.matched + self.every

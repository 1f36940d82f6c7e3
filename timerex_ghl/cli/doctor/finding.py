"""The result of one check of `timerex-ghl doctor`."""

from typing import NamedTuple


class Finding(NamedTuple):
    """The result of one check. `is_well` None: nothing is wrong, but it could be better."""

    step: str
    is_well: bool | None
    said: str

    def in_words(self) -> str:
        """Format the finding as one line."""
        return (
            f"{ {True: 'ok', False: 'FAIL', None: 'note'}[self.is_well]:<5}{self.step}: {self.said}"
        )

"""The error of a delivery that cannot be parsed, without its values."""

from pydantic import ValidationError

from timerex_ghl.domain.shared.errors import SkippableError


class MalformedError(SkippableError):
    """A delivery cannot be parsed. The message names the faulty keys, never a value."""


def malformed(error: ValueError | OverflowError) -> MalformedError:
    """Return the error for an invalid delivery, with field names of our models only."""
    if not isinstance(error, ValidationError):  # strict JSON; the year 1 may have no UTC form
        return MalformedError("delivery refused: not strict JSON, or a time out of range")
    faults = "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'the body'} "
        f"{'is missing' if fault['type'] == 'missing' else 'is not usable'}"
        for fault in error.errors(include_input=False, include_url=False, include_context=False)
    )
    return MalformedError(f"delivery refused: {faults}")

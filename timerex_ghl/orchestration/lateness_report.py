"""How late an edit in GHL can be found, for the report of a run."""

from datetime import timedelta

from timerex_ghl.engine.activities import call_budget
from timerex_ghl.engine.activities.call_budget import Lateness
from timerex_ghl.engine.context import SyncContext

LONG = timedelta(hours=2)
"""From this on, a delay is shown in hours instead of minutes."""


async def read_lateness(context: SyncContext) -> list[str]:
    """Describe how long an edit in GHL can go unnoticed, in lines of Markdown."""
    late = await context.ledger.read(call_budget.lateness, context)
    return _in_words(late, has_calendars=bool(context.settings.appointments.calendars))


def _in_words(late: Lateness, *, has_calendars: bool) -> list[str]:
    interval = f"at most {late.tasks.total_seconds() / 60:g} minutes, plus the length of a run"
    lines = [
        "How long an edit in GHL goes unnoticed if no webhook reports it:",
        "",
        *([f"- a cancelled appointment: {interval}"] if has_calendars else []),
        f"- a task: {interval}",
    ]
    if late.notes is None:
        return [*lines, "- a note: forever; the hourly call budget for notes is set to 0"]
    oldest = f"{late.oldest:%Y-%m-%d %H:%M} UTC" if late.oldest else "not all contacts read yet"
    minutes = late.notes.total_seconds() / 60
    lasts = f"{minutes:g} minutes" if late.notes < LONG else f"{minutes / 60:.1f} hours"
    turn = f"at most {lasts}, which is one sweep of {late.people} contacts"
    return [*lines, f"- a note: {turn}; oldest read: {oldest}"]

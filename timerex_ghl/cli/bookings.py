"""`timerex-ghl bookings`: list all bookings, and edit those made in the workspace."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from timerex_ghl.cli.booking_work import add, change, delete, read, say_list
from timerex_ghl.cli.records import ID, entered, is_id, or_input, share
from timerex_ghl.cli.workspace import Command, Where, reaches

if TYPE_CHECKING:
    from timerex_ghl.domain.bookings.booking_entry import BookingEntry

HELP = """List bookings, and edit those made in the workspace. Edits sync to the CRM at once.

Bookings made in TimeRex are moved and cancelled in TimeRex.

\b
  timerex-ghl bookings list --from 2026-02-10T00:00+09:00 --state confirmed
  timerex-ghl bookings add --starts 2026-02-10T10:00+09:00 \\
      --ends 2026-02-10T10:30+09:00 --timezone Asia/Tokyo \\
      --calendar-name "Phone call" --guest-email riku@hinode.example
  timerex-ghl bookings edit b_0123456789abcdef0123 --host-email kana@aoba.example
  timerex-ghl bookings cancel b_0123456789abcdef0123 --reason "The guest is ill"
"""
DETAILS = (
    click.option("--starts", "starts_at", metavar="TIME", help="Like 2026-02-10T10:00+09:00."),
    click.option("--ends", "ends_at", metavar="TIME", help="At most 31 days after the start."),
    click.option("--timezone", metavar="ZONE", help="Time zone of times in the CRM: Asia/Tokyo."),
    click.option("--calendar-name", help="Name of what was booked."),
    click.option("--guest-name", help="Name, as the guest writes it."),
    click.option("--guest-email", metavar="EMAIL", help="Finds the guest if no contact is given."),
    click.option("--guest-company", help="Company of the guest."),
    click.option(
        "--guest-comment",
        callback=or_input,
        help="Comment of the guest; - reads standard input.",
    ),
    click.option(
        "--host-name", "host_names", multiple=True, help='May be repeated; "" alone for none.'
    ),
    click.option(
        "--host-email",
        "host_emails",
        metavar="EMAIL",
        multiple=True,
        help='May be repeated; "" alone for none. The CRM user with it gets the appointment.',
    ),
    click.option("--join-url", metavar="URL", help="Link to the online meeting, for the guest."),
)
Typed = str | tuple[str, ...] | None


@click.group(help=HELP)
def bookings() -> None:
    """Group the booking commands."""


share(
    bookings,
    "booking",
    read,
    delete,
    "Delete a booking made in the workspace. The CRM shows it as cancelled.",
)


def _details(command: Command) -> Command:
    for option in reversed(DETAILS):
        command = option(command)
    return command


@bookings.command("list")
@click.option("--contact", "contact_id", callback=is_id, help="Only those of this contact.")
@click.option(
    "--from", "starts_from", metavar="TIME", help="Only those that start at this time or later."
)
@click.option(
    "--before", "starts_before", metavar="TIME", help="Only those that start before this time."
)
@click.option(
    "--state",
    type=click.Choice(["confirmed", "cancelled", "moved"]),
    help="Only this state; the new time of a moved booking is another booking.",
)
@reaches
def list_(*, where: Where, **typed: str | None) -> None:
    """Print bookings by start time: state, origin, contact, and what was booked."""
    say_list(typed, where)


@bookings.command("add")
@click.option("--contact", callback=is_id, help="The guest; cannot be changed later.")
@_details
@reaches
def add_(*, contact: str | None, where: Where, **typed: Typed) -> None:
    """Add a booking that was made outside TimeRex, for example by phone.

    It needs --starts, --ends and --timezone, and its guest: --contact or --guest-email.
    """
    add(contact, _entry_of(typed), where)


@bookings.command()
@ID
@_details
@reaches
def edit(*, id_: str, where: Where, **typed: Typed) -> None:
    """Change only the given fields of a booking made in the workspace; "" empties one."""
    change(id_, _entry_of(typed), where)


@bookings.command()
@ID
@click.option(
    "--reason",
    "cancellation_reason",
    callback=or_input,
    help="Reason; - reads standard input.",
)
@reaches
def cancel(*, id_: str, where: Where, **typed: str | None) -> None:
    """Cancel a booking made in the workspace. It is kept there."""
    change(id_, _entry_of({"state": "cancelled", **typed}), where)


@bookings.command()
@ID
@reaches
def confirm(*, id_: str, where: Where) -> None:
    """Confirm a cancelled booking again, and clear the reason."""
    change(id_, _entry_of({"state": "confirmed", "cancellation_reason": ""}), where)


def _entry_of(typed: Mapping[str, Typed]) -> "BookingEntry":
    """Convert options to an entry. A repeatable option is () if it was not given."""
    from timerex_ghl.domain.bookings.booking_entry import BookingEntry

    named = {field: None if value == () else _each(value) for field, value in typed.items()}
    return entered(BookingEntry, named)


def _each(value: Typed) -> Typed:
    return tuple(filter(None, value)) if isinstance(value, tuple) else value

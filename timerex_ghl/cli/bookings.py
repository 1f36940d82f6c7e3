"""`timerex-ghl bookings`: all of them to be seen, and those made here to be edited."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from timerex_ghl.cli.booking_work import add, change, delete, read, say_list
from timerex_ghl.cli.records import ID, entered, is_id, or_input, share
from timerex_ghl.cli.workspace import Command, Where, reaches

if TYPE_CHECKING:
    from timerex_ghl.domain.booking_entry import BookingEntry

HELP = """See bookings, and edit those made here. The CRM follows at once.

One made in TimeRex is moved and cancelled there.

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
    click.option("--ends", "ends_at", metavar="TIME", help="31 days later at most."),
    click.option("--timezone", metavar="ZONE", help="The CRM tells the times in it: Asia/Tokyo."),
    click.option("--calendar-name", help="What was booked."),
    click.option("--guest-name", help="As the guest writes it."),
    click.option("--guest-email", metavar="EMAIL", help="Finds the guest, without a contact."),
    click.option("--guest-company", help="Whom the guest works for."),
    click.option(
        "--guest-comment",
        callback=or_input,
        help="What the guest said; - reads it from standard input.",
    ),
    click.option(
        "--host-name", "host_names", multiple=True, help='May be repeated; "" alone for nobody.'
    ),
    click.option(
        "--host-email",
        "host_emails",
        metavar="EMAIL",
        multiple=True,
        help='May be repeated; "" alone for nobody. The CRM\'s user of it gets the appointment.',
    ),
    click.option("--join-url", metavar="URL", help="The meeting's link for the guest."),
)
Typed = str | tuple[str, ...] | None


@click.group(help=HELP)
def bookings() -> None:
    """Gather the commands."""


share(
    bookings,
    "booking",
    read,
    delete,
    "Delete a booking made here. The CRM shows it as cancelled.",
)


def _details(command: Command) -> Command:
    for option in reversed(DETAILS):
        command = option(command)
    return command


@bookings.command("list")
@click.option("--contact", "contact_id", callback=is_id, help="Only those of this contact.")
@click.option("--from", "starts_from", metavar="TIME", help="Only those that start then or later.")
@click.option("--before", "starts_before", metavar="TIME", help="Only those that start earlier.")
@click.option(
    "--state",
    type=click.Choice(["confirmed", "cancelled", "moved"]),
    help="Only these; the new time of a moved one is another booking.",
)
@reaches
def list_(*, where: Where, **typed: str | None) -> None:
    """Print bookings by their start: state, who made it, contact, and what was booked."""
    say_list(typed, where)


@bookings.command("add")
@click.option("--contact", callback=is_id, help="The guest, for good.")
@_details
@reaches
def add_(*, contact: str | None, where: Where, **typed: Typed) -> None:
    """Add a booking that was made elsewhere: by phone, at the counter.

    It needs --starts, --ends and --timezone, and its guest: --contact or --guest-email.
    """
    add(contact, _entry_of(typed), where)


@bookings.command()
@ID
@_details
@reaches
def edit(*, id_: str, where: Where, **typed: Typed) -> None:
    """Change what is named of a booking made here, and nothing else; "" empties."""
    change(id_, _entry_of(typed), where)


@bookings.command()
@ID
@click.option(
    "--reason",
    "cancellation_reason",
    callback=or_input,
    help="Why; - reads it from standard input.",
)
@reaches
def cancel(*, id_: str, where: Where, **typed: str | None) -> None:
    """Cancel a booking made here. It stays in the workspace."""
    change(id_, _entry_of({"state": "cancelled", **typed}), where)


@bookings.command()
@ID
@reaches
def confirm(*, id_: str, where: Where) -> None:
    """Make a cancelled booking stand again, and forget why it was cancelled."""
    change(id_, _entry_of({"state": "confirmed", "cancellation_reason": ""}), where)


def _entry_of(typed: Mapping[str, Typed]) -> "BookingEntry":
    """Read options as an entry. One that can be repeated was not typed where it is ()."""
    from timerex_ghl.domain.booking_entry import BookingEntry

    named = {field: None if value == () else _each(value) for field, value in typed.items()}
    return entered(BookingEntry, named)


def _each(value: Typed) -> Typed:
    return tuple(filter(None, value)) if isinstance(value, tuple) else value

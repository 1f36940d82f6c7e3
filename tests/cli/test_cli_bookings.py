"""`timerex-ghl bookings`, on the command line."""

import asyncio
import getpass
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests import make
from tests.cli.typed import add_riku, call, last_audited, made
from tests.gateway.api.given import events_of
from tests.gateway.given import NAME
from timerex_ghl.adapters.ledger.db.core import open_ledger
from timerex_ghl.adapters.ledger.tables import bookings
from timerex_ghl.domain.shared.models import Booking, BookingRow, ContactId

STARTS, ENDS = "2026-02-10T10:00+09:00", "2026-02-10T10:30+09:00"
TIMES = ("--starts", STARTS, "--ends", ENDS, "--timezone", "Asia/Tokyo")
OF_TIMEREX = "4f0a9c2be7716d83a5c1"


@pytest.fixture
def url(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TIMEREX_GHL_LEDGER", sqlite_url)
    return sqlite_url


@pytest.fixture
def riku(url: str) -> ContactId:
    return add_riku(url)


def from_timerex(url: str, *reported: Booking) -> None:
    async def save() -> None:
        async with open_ledger(url) as ledger:
            for booking in reported:
                row = BookingRow(booking=booking, contact_id=None, verified=True)
                await ledger.write(bookings.save_booking, NAME, row)

    asyncio.run(save())


def ids(*arguments: str) -> Sequence[str]:
    return [line.split()[0] for line in call("bookings", "list", *arguments).output.splitlines()]


def test_a_booking_is_added_shown_moved_listed_and_deleted(riku: ContactId) -> None:
    booking = made("bookings", "add", *TIMES, "--contact", riku, "--calendar-name", "Phone call")
    id_ = booking["id"]

    moved = call("bookings", "edit", id_, "--ends", "2026-02-10T11:00+09:00")
    shown = call("bookings", "show", id_)
    listed = call("bookings", "list")
    deleted = call("bookings", "delete", id_)

    assert (booking["starts_at"], booking["version"]) == ("2026-02-10T01:00:00Z", 1)
    assert (booking["contact_id"], booking["origin"]) == (riku, "workspace")
    assert moved.output == f"{id_} is at version 2\n"
    assert shown.output.startswith(f"id                   {id_}\n")
    assert "ends_at              2026-02-10T02:00:00Z\n" in shown.output
    assert listed.output == (
        f"{id_}  v2  2026-02-10 01:00 UTC  confirmed  made in the workspace  {riku}  Phone call\n"
    )
    assert deleted.output == f"{id_} is deleted\n"
    assert call("bookings", "list").output == "no booking found\n"
    assert call("bookings", "list", "--json").output == ""
    assert call("bookings", "show", id_).stderr == f"timerex-ghl: there is no booking {id_}\n"


def test_a_booking_is_cancelled_and_confirmed_again(riku: ContactId) -> None:
    id_ = made("bookings", "add", *TIMES, "--contact", riku)["id"]

    said = [
        made("bookings", *command)
        for command in (
            ("cancel", id_, "--reason", "ill"),
            ("cancel", id_),
            ("confirm", id_),
            ("confirm", id_),
        )
    ]

    assert [(one["state"], one["cancellation_reason"], one["version"]) for one in said] == [
        ("cancelled", "ill", 2),
        ("cancelled", "ill", 2),
        ("confirmed", None, 3),
        ("confirmed", None, 3),
    ]


@pytest.mark.usefixtures("riku")
def test_an_edit_changes_what_is_named_and_nothing_else() -> None:
    named = (
        *("--guest-email", "riku@hinode.example", "--guest-name", "佐藤 陸"),
        *("--guest-company", "Hinode Foods", "--join-url", "https://meet.example/1"),
        *("--host-email", "K@aoba.example", "--host-email", "m@aoba.example"),
        *("--host-name", "Mori Kana"),
    )
    booking = made("bookings", "add", *TIMES, *named)

    edited = made("bookings", "edit", booking["id"], "--host-email", "", "--guest-company", "")
    unchanged = made("bookings", "edit", booking["id"])

    assert booking["contact_id"] is None  # found by the e-mail when the event is processed
    assert booking["host_emails"] == ["k@aoba.example", "m@aoba.example"]
    assert (edited["host_emails"], edited["guest_company"], edited["version"]) == ([], None, 2)
    changed = {field for field, value in edited.items() if value != booking[field]}
    assert changed == {"host_emails", "guest_company", "version"}
    assert unchanged == edited
    assert "no contact yet" in call("bookings", "list").output


def test_comments_and_reasons_may_come_from_standard_input(riku: ContactId) -> None:
    sent = ("bookings", "add", *TIMES, "--contact", riku, "--guest-comment", "-", "--json")
    booking = json.loads(call(*sent, typed="お茶が好き\n二行目").output)
    cancelled = call("bookings", "cancel", booking["id"], "--reason", "-", "--json", typed="ill")

    assert booking["guest_comment"] == "お茶が好き\n二行目"
    assert json.loads(cancelled.output)["cancellation_reason"] == "ill"


def test_an_edit_is_audited_and_waits_to_be_handled(url: str, riku: ContactId) -> None:
    id_ = made("bookings", "add", *TIMES, "--contact", riku)["id"]
    made("bookings", "cancel", id_)

    async def read() -> Sequence[tuple[str, str, str | None, str]]:
        async with open_ledger(url) as ledger:
            return await events_of(ledger)

    entry = last_audited(url)
    assert (entry.what, str(entry.subject)) == ("booking changed", f"booking:{id_}")
    by = f"cli:{getpass.getuser()}"
    assert entry.detail == {"by": by, "fields": "state", "version": 2}
    assert [event[1:] for event in asyncio.run(read())] == [
        ("booking changed", f"booking:{id_}", '{"version": 1}'),
        ("booking changed", f"booking:{id_}", '{"version": 2}'),
    ]


@pytest.mark.usefixtures("riku")
def test_a_booking_of_timerex_is_shown_and_not_edited(url: str) -> None:
    from_timerex(url, make.booking(OF_TIMEREX))

    shown = call("bookings", "show", OF_TIMEREX)

    assert 'host_names           ["Mori Kana"]\n' in shown.output
    assert "  made in TimeRex  no contact yet  Onboarding" in call("bookings", "list").output
    for command in ("edit", "cancel", "confirm", "delete"):
        result = call("bookings", command, OF_TIMEREX)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == (
            f"timerex-ghl: booking {OF_TIMEREX} was made in TimeRex: move or cancel it there\n"
        )


def test_bookings_are_listed_by_start_and_chosen_by_contact_time_and_state(
    url: str, riku: ContactId
) -> None:
    from_timerex(url, make.booking("late", starts_at=make.STARTS + timedelta(days=400)))
    id_ = made("bookings", "add", *TIMES, "--contact", riku)["id"]

    assert ids() == [id_, "late"]
    assert ids("--contact", riku) == [id_]
    assert ids("--from", STARTS, "--before", ENDS) == [id_]
    assert ids("--from", ENDS) == ["late"]
    assert call("bookings", "list", "--before", STARTS).output == "no booking found\n"
    call("bookings", "cancel", id_)
    assert ids("--state", "cancelled") == [id_]
    assert ids("--state", "confirmed") == ["late"]
    found = [json.loads(line) for line in call("bookings", "list", "--json").output.splitlines()]
    assert [one["id"] for one in found] == [id_, "late"]
    assert found[0] == made("bookings", "show", id_)


@pytest.mark.usefixtures("riku")
def test_a_list_goes_on_after_its_first_page(url: str) -> None:
    reported = [f"b{number:03}" for number in range(501)]
    from_timerex(url, *map(make.booking, reported))

    assert ids() == reported


@pytest.mark.usefixtures("riku")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--starts", "tomorrow"), "starts_at: Input should be a valid datetime"),
        (("--starts", "2026-02-10T10:00"), "starts_at: Input should have timezone info"),
        (("--starts", "20260210"), "starts_at: must be written like 2026-02-10T10:00:00+09:00"),
        (("--starts", ""), "starts_at: Input should be"),
        (("--ends", STARTS), "ends_at: must be after starts_at, by 31 days at most"),
        (("--timezone", "Tokyo"), "timezone: is not a time zone: enter an IANA name"),
        (("--guest-name", "x\0"), "guest_name: has a character that cannot be shown"),
        (("--contact", "c_1"), "contact_id: unknown contact: create it first"),
        ((), "guest_email: is missing: enter it, or the contact_id"),
    ],
)
def test_what_cannot_be_taken_is_said_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    result = call("bookings", "add", *TIMES, *arguments)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"timerex-ghl: {said}")
    assert result.stderr.count("\n") == 1


def test_a_booking_without_times_is_shown_all_that_is_missing(riku: ContactId) -> None:
    assert call("bookings", "add", "--contact", riku).stderr == (
        "timerex-ghl: starts_at: is missing; ends_at: is missing; timezone: is missing\n"
    )


@pytest.mark.usefixtures("riku")
def test_a_fault_in_the_time_of_a_list_is_said_in_one_line() -> None:
    result = call("bookings", "list", "--from", "2026-02-10")

    assert result.exit_code == 1
    assert result.stderr == "timerex-ghl: starts_from: Input should have timezone info\n"


@pytest.mark.usefixtures("riku")
def test_nobody_s_bookings_are_said_to_be_none() -> None:
    for command in ("show", "edit", "cancel", "confirm", "delete"):
        result = call("bookings", command, "b_1")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "timerex-ghl: there is no booking b_1\n"
    assert "invalid id: " in call("bookings", "show", "b 1").stderr
    assert call("bookings", "list", "--contact", "c_1").output == "no booking found\n"


@pytest.mark.usefixtures("riku")
def test_the_connection_may_be_named() -> None:
    assert call("bookings", "list", "--connection", "aoba").output == "no booking found\n"
    unknown = call("bookings", "list", "--connection", "nobody")
    assert unknown.stderr.startswith("timerex-ghl: connection nobody is not published")


def test_the_help_of_bookings_gives_an_example() -> None:
    assert "\n    timerex-ghl bookings add --starts " in call("bookings", "--help").output

"""Errors say what to do next, without secrets or personal data."""

import socket
from typing import Any

import pytest

from tests.adapters.timerex.api_world import ApiWorld
from timerex_ghl.adapters.timerex.auth import ApiKey
from timerex_ghl.adapters.timerex.client import TimerexClient
from timerex_ghl.adapters.timerex.replies import read_event_row
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    OutageError,
    RateLimitedError,
    ScopeError,
    SettingsError,
    TimerexGhlError,
    UnknownOutcomeError,
)
from timerex_ghl.domain.shared.models import BookingId, BookingState

WRITE = ("cancel-event", "cancel_event")
READ = ("get-event", "get_event")


async def refused(client: TimerexClient, method: str, event_id: BookingId) -> TimerexGhlError:
    """Make a call that fails; check that its error contains no secret or personal data."""
    with pytest.raises(TimerexGhlError) as raised:
        await getattr(client, method)(event_id)
    reported = f"{raised.value!r} {raised.value.__cause__!r}".lower()
    assert "canary" not in reported
    assert "host_cancel" not in reported
    return raised.value


@pytest.mark.parametrize(
    ("call", "status", "kind"),
    [
        (READ, 401, CredentialsError),
        (READ, 429, RateLimitedError),
        (READ, 500, OutageError),
        (READ, 503, OutageError),
        (READ, 408, OutageError),
        (WRITE, 500, UnknownOutcomeError),
        (WRITE, 408, UnknownOutcomeError),
        (WRITE, 429, RateLimitedError),
    ],
)
async def test_a_status_says_what_to_do_next(
    api: ApiWorld, call: tuple[str, str], status: int, kind: type[Exception]
) -> None:
    event_id = await api.book()
    await api.fault(call[0], "status", status)

    error = await refused(api.by_key(), call[1], event_id)

    assert type(error) is kind
    assert str(status) in str(error) or kind is CredentialsError


@pytest.mark.parametrize("kind", ["drop_after_commit", "truncate"])
async def test_a_read_whose_answer_is_lost_may_be_repeated(api: ApiWorld, kind: str) -> None:
    event_id = await api.book()
    await api.fault("get-event", kind)

    error = await refused(api.by_key(), "get_event", event_id)

    assert type(error) is OutageError


async def test_a_cancel_whose_answer_is_lost_is_unknown_and_may_have_happened(
    api: ApiWorld,
) -> None:
    event_id = await api.book()
    await api.fault("cancel-event", "drop_after_commit")

    error = await refused(api.by_key(), "cancel_event", event_id)

    assert type(error) is UnknownOutcomeError
    assert (await api.by_key().get_event(event_id)).state is BookingState.CANCELLED


async def test_a_slow_answer_ends_at_the_deadline(api: ApiWorld) -> None:
    event_id = await api.book()
    await api.fault("get-event", "delay", 2_000)
    client = api.client(ApiKey(api.info.timerex.api_key), deadline_s=0.2)

    error = await refused(client, "get_event", event_id)

    assert str(error).endswith("TimeoutError")


@pytest.mark.parametrize("method", ["get_event", "cancel_event"])
async def test_what_could_not_connect_was_not_sent(api: ApiWorld, method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = api.client(ApiKey("k" * 64), base_url=f"http://127.0.0.1:{port}")

    error = await refused(client, method, BookingId("b1"))

    assert type(error) is OutageError
    assert "was not sent" in str(error)


async def test_a_wrong_key_is_refused_with_what_to_do(api: ApiWorld) -> None:
    error = await refused(api.by_key("canary" * 10), "get_event", BookingId("b1"))

    assert isinstance(error, CredentialsError)
    assert "create a new one under Team Settings" in str(error)
    assert await api.calls() == ["get-event"], "the same key is not tried twice"


async def test_a_redirect_to_a_login_page_is_a_refused_key_and_is_not_followed(
    api: ApiWorld,
) -> None:
    await api.control("POST", "/settings", login_redirect=True)

    error = await refused(api.by_key("canary" * 10), "get_event", BookingId("b1"))

    assert type(error) is CredentialsError
    assert "302" in str(error)
    assert await api.calls() == ["get-event"]


async def test_a_web_page_in_place_of_an_answer_is_no_answer(api: ApiWorld) -> None:
    site = api.info.timerex.base_url.removesuffix("/api/beta")
    client = api.client(ApiKey("k" * 64), base_url=f"{site}/login?")

    with pytest.raises(CredentialsError, match="web page"):
        await client.get_user()


async def test_a_missing_right_is_named(api: ApiWorld) -> None:
    minted = await api.control("POST", "/tokens", scopes=["User.Teams.Read"])
    client = api.by_oauth(minted["refresh_token"])

    with pytest.raises(ScopeError, match=r"lacks User\.Teams\.Calendars\.ReadWrite") as raised:
        await client.get_event(await api.book())

    assert raised.value.scope == "User.Teams.Calendars.ReadWrite"


async def test_somebody_elses_server_is_a_setting_to_check(api: ApiWorld) -> None:
    root = api.info.timerex.base_url.removesuffix("/timerex/api/beta")
    client = api.client(ApiKey("k" * 64), base_url=f"{root}/nothing")

    with pytest.raises(SettingsError, match="check the API address"):
        await client.get_user()


@pytest.mark.parametrize("status", ["maybe", "", 3, None])
def test_a_status_nobody_documented_does_not_read_as_a_booking_that_stands(status: Any) -> None:
    row = {"id": "a", "start_datetime": "2026-02-10T01:00:00+00:00", "status": status}

    with pytest.raises(ValueError, match="status"):
        read_event_row({**row, "end_datetime": row["start_datetime"]})

"""What a refusal means, and that it contains no personal data."""

from typing import Any

import httpx
import pytest

from tests.adapters.ghl.line import CANARIES, RIKU, line
from tests.adapters.ghl.methods import values
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.domain.shared.errors import (
    CredentialsError,
    DuplicateContactError,
    FatalError,
    NotFoundError,
    RateLimitedError,
    RetryableError,
    ScopeError,
    SkippableError,
    TimerexGhlError,
    UnknownOutcomeError,
)

WHO = "for Riku Sato, riku@hinode.example, +81312345678, with pit-canary"


def refusal(status: int, message: object, **more: object) -> httpx.Response:
    return httpx.Response(status, json={"statusCode": status, "message": message, **more})


def html(status: int) -> httpx.Response:
    return httpx.Response(status, html=f"<title>{WHO}</title>")


async def failure(*answers: httpx.Response | Exception, writing: bool) -> TimerexGhlError:
    """Let a read or a write fail, and check that the error contains no personal data."""
    async with line(*answers) as sent:
        named = values(firstName="Riku Sato")
        call = sent.client.update_contact(RIKU, named) if writing else sent.client.get_contact(RIKU)
        with pytest.raises(TimerexGhlError) as raised:
            await call
    assert len(sent.requests) == len(answers)
    observe = f"{raised.value!s} {raised.value!r} {vars(raised.value)} {raised.value.__cause__!r}"
    assert not [canary for canary in CANARIES if canary in observe]
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    return raised.value


@pytest.mark.parametrize("writing", [False, True])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(400, f"Invalid value {WHO}", error="Bad Request", traceId="t"), SkippableError),
        (refusal(422, [f"email must be an email {WHO}"]), SkippableError),
        (refusal(409, WHO), SkippableError),
        (refusal(413, WHO), SkippableError),
        (refusal(400, "Contact with id riku1 not found"), NotFoundError),
        (refusal(404, f"Note {WHO} not found"), NotFoundError),
        (refusal(400, f"User not found {WHO}"), SkippableError),
        (refusal(404, "Cannot GET /contacts/riku1"), FatalError),
        (refusal(401, "version header was not found."), FatalError),
        (refusal(401, "version header is invalid"), FatalError),
        (refusal(401, "The token is not authorized for this scope."), ScopeError),
        (refusal(403, "The token is not authorized for this scope."), ScopeError),
        (
            refusal(401, "This authClass type is not allowed to access this scope."),
            CredentialsError,
        ),
        (refusal(403, f"The token does not have access to this location. {WHO}"), CredentialsError),
        (refusal(401, f"Something new {WHO}"), CredentialsError),
        (httpx.Response(401), CredentialsError),
        (httpx.Response(302, headers={"Location": f"https://login.example/?{WHO}"}), FatalError),
        (httpx.Response(308, headers={"Location": "/contacts/"}), FatalError),
        (refusal(429, WHO), RateLimitedError),
        (httpx.Response(429), RateLimitedError),
        (html(429), RateLimitedError),
        (html(404), FatalError),
        (html(403), FatalError),
        (html(400), FatalError),
        (html(200), FatalError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
async def test_a_refusal_says_what_to_do_next(
    answer: httpx.Response, kind: type[TimerexGhlError], *, writing: bool
) -> None:
    error = await failure(answer, writing=writing)

    assert isinstance(error, kind)
    assert not isinstance(error, UnknownOutcomeError)
    assert isinstance(error, NotFoundError) == (kind is NotFoundError)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500, WHO),
        html(502),
        httpx.Response(503),
        refusal(504, WHO),
        refusal(408, WHO),
        httpx.Response(200, text=f'{{"contact": {{"id": "{WHO}'),
        httpx.Response(200, json=[WHO]),
        httpx.Response(200, json={"traceId": WHO}),
        httpx.Response(200, json={"contact": None}),
        httpx.Response(200, json={"contact": WHO}),
        httpx.Response(200, json={"contact": {"firstName": WHO}}),
        httpx.Response(200),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.ReadTimeout(WHO),
        httpx.ReadError(WHO),
        httpx.WriteError(WHO),
        httpx.RemoteProtocolError(WHO),
        httpx.DecodingError(WHO),
    ],
    ids=str,
)
async def test_of_a_write_without_a_readable_answer_nobody_knows(
    answer: httpx.Response | Exception,
) -> None:
    assert isinstance(await failure(answer, writing=True), UnknownOutcomeError)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(500, WHO),
        html(502),
        refusal(408, WHO),
        httpx.Response(200, text=WHO),
        httpx.Response(200, json={"traceId": WHO}),
        httpx.ReadTimeout(WHO),
        httpx.RemoteProtocolError(WHO),
    ],
    ids=str,
)
async def test_a_read_without_a_readable_answer_is_simply_repeated(
    answer: httpx.Response | Exception,
) -> None:
    error = await failure(answer, writing=False)

    assert isinstance(error, RetryableError)
    assert not isinstance(error, UnknownOutcomeError)


async def test_a_deletion_whose_answer_cannot_be_read_is_of_unknown_outcome() -> None:
    async with line(httpx.Response(200, text='{"succe')) as sent:
        with pytest.raises(UnknownOutcomeError):
            await sent.client.delete_contact(RIKU)


@pytest.mark.parametrize("method", ["list_notes", "list_custom_fields", "search_contacts"])
async def test_a_list_that_is_not_there_is_not_an_empty_one(method: str) -> None:
    async with line(httpx.Response(200, json={"traceId": "t"})) as sent:
        call: Any = getattr(sent.client, method)
        with pytest.raises(RetryableError):
            await (call(RIKU) if method == "list_notes" else call())


@pytest.mark.parametrize("never", [httpx.ConnectError(WHO), httpx.ConnectTimeout(WHO)])
@pytest.mark.parametrize("writing", [False, True])
async def test_what_could_not_connect_may_simply_be_sent_again(
    never: Exception, *, writing: bool
) -> None:
    error = await failure(never, writing=writing)

    assert isinstance(error, RetryableError)
    assert not isinstance(error, UnknownOutcomeError)


async def test_a_validation_error_names_the_fields_and_no_value() -> None:
    answer = refusal(
        422, [f"email must be an email: {WHO}", "property postalCode should not exist"]
    )

    assert "check email, postalCode" in str(await failure(answer, writing=True))


async def test_a_refused_scope_is_named() -> None:
    error = await failure(
        refusal(401, "The token is not authorized for this scope."), writing=False
    )

    assert isinstance(error, ScopeError)
    assert error.scope == "contacts.readonly"
    assert error.scope in str(error)


async def test_a_duplicate_names_the_contact_and_the_field_and_nobody() -> None:
    meta = {"contactId": "riku9", "contactName": "Riku Sato", "matchingField": "email"}
    error = await failure(
        refusal(400, "This location does not allow duplicated contacts.", meta=meta), writing=True
    )

    assert isinstance(error, DuplicateContactError)
    assert (error.contact_id, error.matching_field) == ("riku9", "email")


async def test_a_duplicate_that_names_no_contact_is_set_aside() -> None:
    answer = refusal(400, "This location does not allow duplicated contacts.", meta={})

    assert type(await failure(answer, writing=True)) is SkippableError


class Blocking(Unlimited):
    """Records how long a location is paused."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[float] = []

    async def pause(self, seconds: float) -> None:
        self.blocked.append(seconds)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10.0),
        ({"Retry-After": "-1"}, 10.0),
        ({"Retry-After": "9" * 400}, 86_400.0),
        ({"X-RateLimit-Interval-Milliseconds": "5000"}, 5.0),
        ({}, 10.0),
    ],
)
async def test_too_many_calls_pause_the_location(headers: dict[str, str], wait_s: float) -> None:
    rate_limiter = Blocking()
    async with line(httpx.Response(429, headers=headers), rate_limiter=rate_limiter) as sent:
        with pytest.raises(RateLimitedError) as refused:
            await sent.client.get_contact(RIKU)

    assert refused.value.after_s == wait_s
    assert rate_limiter.blocked == [wait_s]

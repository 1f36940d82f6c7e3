import pytest

from tests.adapters.timerex.deliveries import CONFIRMED, LEAST, body_of
from timerex_ghl.adapters.malformed import MalformedError
from timerex_ghl.adapters.timerex.webhooks import read_delivery


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"event": {"id": "1"}}', "webhook_type is missing"),
        (b'{"webhook_type": "event_confirmed"}', "event is missing"),
        (
            b'{"webhook_type": "event_confirmed", "event": {"id": "1"}}',
            "event.start_datetime is missing; event.end_datetime is missing",
        ),
        (body_of(LEAST, id=""), "event.id is not usable"),
        (body_of(LEAST, id="1\n2"), "event.id is not usable"),
        (body_of(LEAST, id="x" * 129), "event.id is not usable"),
        (body_of(LEAST, start_datetime="soon"), "event.start_datetime is not usable"),
        (
            body_of(LEAST, start_datetime="2026-02-10T01:00:00"),
            "event.start_datetime is not usable",
        ),
        (
            body_of(LEAST, start_datetime="0001-01-01T00:00:00+12:00"),
            "not strict JSON, or a time out of range",
        ),
        (b"[]", "the body is not usable"),
        (b"null", "the body is not usable"),
        (b"{", "not strict JSON, or a time out of range"),
        (b'{"webhook_type": "a", "webhook_type": "b"}', "not strict JSON, or a time out of range"),
        (b'{"webhook_type": NaN}', "not strict JSON, or a time out of range"),
        (b"[" * 5_000, "not strict JSON, or a time out of range"),
        (b'{"webhook_type": "\\ud800"}', "not strict JSON, or a time out of range"),
        (b'{"id": ' + b"1" * 5_000 + b"}", "not strict JSON, or a time out of range"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_a_malformed_delivery_says_in_one_line_what_is_wrong(body: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_delivery(body)

    assert str(caught.value) == f"delivery refused: {message}"


def test_a_refusal_repeats_no_value() -> None:
    with pytest.raises(MalformedError) as caught:
        read_delivery(body_of(CONFIRMED, start_datetime="riku@hinode.example"))

    assert "riku" not in str(caught.value)

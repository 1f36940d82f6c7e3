import hashlib

import pytest

from timerex_ghl.adapters.timerex.webhooks import is_authentic

TOKEN = b"b7f1" * 8
DIGESTS = (hashlib.sha256(TOKEN).hexdigest(),)
HEADER = "x-timerex-authorization"


def is_let_in(*headers: tuple[bytes, bytes], digests: tuple[str, ...] = DIGESTS) -> bool:
    return is_authentic(headers, HEADER, digests)


def test_the_right_token_in_the_right_header_is_let_in() -> None:
    assert is_let_in((b"x-timerex-authorization", TOKEN))
    assert is_let_in((b"X-TimeRex-Authorization", TOKEN))
    assert is_authentic([(b"authorization", TOKEN)], "Authorization", DIGESTS)


def test_two_tokens_are_valid_during_a_rotation() -> None:
    digests = (*DIGESTS, hashlib.sha256(b"next" * 8).hexdigest())

    assert is_let_in((b"x-timerex-authorization", TOKEN), digests=digests)
    assert is_let_in((b"x-timerex-authorization", b"next" * 8), digests=digests)


@pytest.mark.parametrize(
    "value",
    [b"", b" ", TOKEN[:-1], TOKEN + b"0", TOKEN.upper(), b"\xff\xfe", "名前".encode(), b"a\0b"],
)
def test_another_token_is_not_let_in(value: bytes) -> None:
    assert not is_let_in((b"x-timerex-authorization", value))


def test_a_repeated_header_is_not_let_in() -> None:
    assert not is_let_in((b"x-timerex-authorization", TOKEN), (b"X-Timerex-Authorization", TOKEN))


def test_the_right_token_in_another_header_is_not_let_in() -> None:
    assert not is_let_in((b"authorization", TOKEN))
    assert not is_let_in()


def test_odd_digests_let_nobody_in_and_raise_nothing() -> None:
    empty = hashlib.sha256(b"").hexdigest()

    assert not is_let_in((b"x-timerex-authorization", b""), digests=(empty,))
    assert not is_let_in((b"x-timerex-authorization", TOKEN), digests=("", "名前"))
    assert not is_let_in((b"x-timerex-authorization", TOKEN), digests=())

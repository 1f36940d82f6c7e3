import pytest

from timerex_ghl.adapters.strict_json import read_json


def test_plain_json_is_read_as_it_is() -> None:
    body = '{"a": [1, -2.5, true, null, "名前 \\ud83d\\ude00"], "b": {}}'

    assert read_json(body.encode()) == {"a": [1, -2.5, True, None, "名前 😀"], "b": {}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"[NaN]",
        b"[-Infinity]",
        b"[1e999]",
        b"[" + b"9" * 5_000 + b"]",
        b"[" + b"9" * 200_000 + b"]",
        b"[" * 66 + b"]" * 66,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
        b'["\\ud800"]',
        b'{"\\udfff": 1}',
        b'["\\u0000"]',
        b'["a"] trailing',
    ],
    ids=lambda body: repr(body[:16]),
)
def test_what_two_readers_could_understand_differently_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not strict JSON in UTF-8$"):
        read_json(body)


def test_64_nested_lists_are_still_read() -> None:
    assert read_json(b"[" * 65 + b"]" * 65) is not None

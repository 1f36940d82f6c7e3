import pytest
from hypothesis import given
from hypothesis import strategies as st

from timerex_ghl.domain.shared.models import FieldName, Value
from timerex_ghl.domain.shared.normal import (
    clean_tag,
    clean_value,
    compare_key,
    email_key,
    is_empty,
    is_same,
    phone_key,
)

KANAKO = "か\u3099なこ"  # が written as two letters
FIELDS = st.sampled_from(["email", "phone", "country", "city", "custom.size"]).map(FieldName)
VALUES = st.one_of(st.none(), st.text(), st.lists(st.text()).map(tuple))


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("riku@hinode.example", "riku@hinode.example"),
        ("  Riku@Hinode.Example ", "riku@hinode.example"),
        ("ｒｉｋｕ＠ｈｉｎｏｄｅ．ｅｘａｍｐｌｅ", "riku@hinode.example"),
        ("riku+calls@hinode.example", "riku+calls@hinode.example"),
        ("ri..ku.@docomo.example", "ri..ku.@docomo.example"),
        ("STRASSE@x.example", "strasse@x.example"),
        ("straße@x.example", "strasse@x.example"),
        ("riku", None),
        ("riku@", None),
        ("@hinode.example", None),
        (" @ ", None),
        ("a@b@c.example", None),
        ("", None),
        (None, None),
        (("a@b.example",), None),
    ],
)
def test_an_address_is_matched_whatever_its_case_and_width(typed: Value, key: str | None) -> None:
    assert email_key(typed) == key


@pytest.mark.parametrize(
    ("typed", "region", "key"),
    [
        ("090-1234-5678", "JP", "+819012345678"),
        ("０９０－１２３４－５６７８", "JP", "+819012345678"),
        ("090ー1234ー5678", "JP", "+819012345678"),
        ("090−1234‐5678", "JP", "+819012345678"),
        ("+81 90 1234 5678", "US", "+819012345678"),
        ("+819012345678", "JP", "+819012345678"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("+12025550123", "JP", "+12025550123"),
        ("+15550100", "JP", None),  # looks like a number, is not a valid one
        ("+81901234567890", "JP", None),
        ("12", "JP", None),
        ("later", "JP", None),
        ("", "JP", None),
        (None, "JP", None),
        (("090-1234-5678",), "JP", None),
    ],
)
def test_a_phone_is_matched_by_its_valid_international_form(
    typed: Value, region: str, key: str | None
) -> None:
    assert phone_key(typed, region) == key


@pytest.mark.parametrize(
    ("tag", "clean"),
    [("VIP", "vip"), ("  Hot  lead ", "hot lead"), ("Straße", "straße"), (KANAKO, "がなこ")],
)
def test_a_tag_is_kept_as_ghl_keeps_it(tag: str, clean: str) -> None:
    assert clean_tag(tag) == clean


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        (" Osaka ", "Osaka"),
        (KANAKO, "がなこ"),
        ("㈱ひので", "㈱ひので"),  # how it was written is kept
        ("\u3000", None),
        ("", None),
        (None, None),
        ((" A ", "", "B"), ("A", "B")),
        (("", " "), None),
        ((), None),
    ],
)
def test_a_value_is_kept_as_written_without_the_blanks_around_it(
    value: Value, clean: Value
) -> None:
    assert clean_value(value) == clean
    assert is_empty(value) == (clean is None)


@pytest.mark.parametrize(
    ("field", "one", "other", "same"),
    [
        ("email", "Riku@Hinode.example", "riku@hinode.example", True),
        ("email", "riku@hinode.example", "riku@aoba.example", False),
        ("email", "ask my office", " ask my office", True),
        ("phone", "090-1234-5678", "+819012345678", True),
        ("phone", "090-1234-5678", "090-1234-5679", False),
        ("phone", "ext. 12", "ｅｘｔ． 12", True),
        ("country", "jp", "JP", True),
        ("city", "jp", "JP", False),
        ("city", " 大阪", "大阪\u3000", True),
        ("city", "ｶﾞｷﾞ", "ガギ", True),
        ("company", "㈱ひので", "(株)ひので", True),
        ("last_name", "髙橋", "高橋", False),
        ("first_name", "Riku", "riku", False),
        ("city", "", None, True),
        ("city", None, " ", True),
        ("custom.size", ("A", "B"), ("B", "A"), True),
        ("custom.size", ("A",), ("A", "B"), False),
        ("custom.size", (), None, True),
        ("custom.size", ("A",), "A", True),
        ("custom.size", ("A", ""), ("Ａ",), True),
    ],
)
def test_two_spellings_of_one_value_are_the_same(
    field: str, one: Value, other: Value, *, same: bool
) -> None:
    assert is_same(FieldName(field), one, other, "JP") is same
    assert is_same(FieldName(field), other, one, "JP") is same


@given(st.text())
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    email, phone = email_key(text), phone_key(text, "JP")

    assert email_key(email) == email
    assert phone_key(phone, "JP") == phone
    assert clean_tag(clean_tag(text)) == clean_tag(text)


@given(FIELDS, VALUES)
def test_cleaning_a_value_changes_nothing_about_it(field: FieldName, value: Value) -> None:
    assert is_same(field, value, clean_value(value), "JP")
    assert clean_value(clean_value(value)) == clean_value(value)


@given(FIELDS, VALUES)
def test_empty_is_what_compares_as_nothing(field: FieldName, value: Value) -> None:
    assert is_empty(value) == (compare_key(field, value, "JP") is None)


@given(st.integers(min_value=0, max_value=99_999_999))
def test_a_japanese_mobile_number_has_one_key_however_it_is_typed(number: int) -> None:
    digits = f"{number:08d}"
    plain = phone_key(f"090{digits}", "JP")
    wide = f"090-{digits[:4]}-{digits[4:]}".translate(
        {ord(narrow): ord(narrow) + 0xFEE0 for narrow in "0123456789-"}
    )
    assert phone_key(wide, "JP") == plain
    assert phone_key(f"+81 90 {digits}", "US") == plain

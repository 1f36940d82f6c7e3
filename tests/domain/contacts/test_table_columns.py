"""Imported tables: the mapping of columns to fields, and the reading of rows."""

import pytest

from tests import make
from timerex_ghl.domain.contacts.table_columns import map_columns, read_entry
from timerex_ghl.domain.shared.errors import SettingsError

RULES = (make.rule("custom.likes", "customFields.f1", answer_label="お好きなもの"),)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("E-mail", "email"),
        ("Email address", "email"),
        ("ＥＭＡＩＬ", "email"),
        ("メールアドレス", "email"),
        ("First Name", "first_name"),
        ("first_name", "first_name"),
        ("名", "first_name"),
        ("姓", "last_name"),
        ("お名前", "name"),
        ("Phone*", "phone"),
        ("電話番号：", "phone"),
        ("会社名", "company"),
        ("郵便番号", "postal_code"),
        ("ZIP", "postal_code"),
        ("タグ", "tags"),
        ("id", "id"),
        ("custom.likes", "custom.likes"),
        ("お好きなもの", "custom.likes"),
        ("Reason", None),
    ],
)
def test_a_header_is_known_in_english_and_japanese(header: str, field: str | None) -> None:
    columns = map_columns([header], {}, RULES)

    assert columns.targets == (field,)
    assert columns.unknown == ()


def test_what_nobody_knows_is_named() -> None:
    columns = map_columns(["Favourite", "", "E-mail"], {}, RULES)

    assert columns.targets == (None, None, "email")
    assert columns.unknown == ("Favourite",)


def test_a_choice_outranks_the_header() -> None:
    columns = map_columns(["E-mail", "Work mail"], {"E-mail": "-", "Work mail": "email"}, RULES)

    assert columns.targets == (None, "email")
    assert columns.unknown == ()


@pytest.mark.parametrize(
    ("headers", "chosen", "said"),
    [
        (["E-mail"], {"Mail": "email"}, "the file has no column 'Mail'"),
        (["Likes"], {"Likes": "custom.tea"}, "custom.tea is not a field: use "),
        (["E-mail", "Mail"], {}, "several columns are email .E-mail, Mail.: leave one out"),
    ],
)
def test_a_table_nobody_can_read_is_refused(
    headers: list[str], chosen: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        map_columns(headers, chosen, RULES)


def test_a_row_says_what_its_filled_cells_say() -> None:
    columns = map_columns(["id", "E-mail", "City", "Tags", "Note"], {}, RULES)

    entry = read_entry(columns, ["c_1", " riku@hinode.example ", "", "VIP, 予約、new", "x"])

    assert entry.contact_id == "c_1"
    assert entry.change.values == {"email": "riku@hinode.example"}
    assert entry.change.tags_added == {"VIP", "予約", "new"}
    assert entry.change.tags_removed == frozenset()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Riku Sato", {"first_name": "Riku", "last_name": "Sato"}),
        ("佐藤 陸", {"first_name": "佐藤 陸"}),
        ("", {}),
    ],
)
def test_a_name_in_one_cell_is_split_as_a_booking_s_is(name: str, values: dict[str, str]) -> None:
    columns = map_columns(["Name"], {}, RULES)

    assert read_entry(columns, [name]).change.values == values


def test_names_of_their_own_outrank_one_typed_as_one() -> None:
    columns = map_columns(["氏名", "名"], {}, RULES)

    assert read_entry(columns, ["Riku Sato", "陸"]).change.values == {"first_name": "陸"}

"""Map the columns of an imported table to fields, and read its rows."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from unicodedata import normalize

from timerex_ghl.domain.bookings.guest_plan import split_name
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import STANDARD_FIELDS, ContactId, FieldName, FieldRule, Value

ID, NAME, TAGS, REASON, NOTHING = "id", "name", "tags", "reason", "-"
"""Columns that are not fields: our id, a full name, tags, why a row was refused, none."""

_HEADERS = {
    ID: ("contact id", "id"),
    NAME: ("name", "full name", "contact name", "氏名", "名前", "お名前", "ご氏名", "顧客名"),
    TAGS: ("tags", "tag", "labels", "タグ", "ラベル"),
    REASON: ("reason",),
    "first_name": ("first name", "given name", "forename", "名"),
    "last_name": ("last name", "family name", "surname", "姓", "苗字", "名字"),
    "email": (
        "email", "email address", "mail", "mail address", "メール", "メールアドレス", "eメール",
        "電子メール", "ご連絡先メールアドレス",
    ),
    "phone": (
        "phone", "phone number", "telephone", "tel", "mobile", "mobile phone", "cell phone",
        "電話", "電話番号", "携帯", "携帯番号", "携帯電話", "お電話番号",
    ),
    "company": (
        "company", "company name", "organization", "organisation", "business name", "会社",
        "会社名", "法人名", "貴社名", "御社名", "企業名", "勤務先",
    ),
    "address": (
        "address", "street", "street address", "address 1", "address line 1", "住所", "番地",
    ),
    "city": ("city", "town", "市区町村", "市町村", "市"),
    "state": ("state", "region", "province", "prefecture", "都道府県"),
    "postal_code": ("postal code", "postcode", "zip", "zip code", "郵便番号"),
    "country": ("country", "国", "国名"),
    "website": ("website", "web site", "url", "homepage", "ウェブサイト", "ホームページ"),
    "timezone": ("timezone", "time zone", "タイムゾーン"),
    "source": ("source", "lead source", "流入元", "流入経路"),
    "status": ("status", "ステータス", "状態"),
}  # fmt: skip
_ENDS = re.compile(r"[,;、；，|\n]")


class Columns(NamedTuple):
    """What each column of a table is.

    Attributes:
        targets: In the table's order: a field, `id`, `name`, `tags`; None for a skipped column.
        unknown: Headers that were not recognized.
    """

    targets: tuple[str | None, ...]
    unknown: tuple[str, ...]


class Entry(NamedTuple):
    """The values of a row. `contact_id`: the contact, where the row names it."""

    contact_id: ContactId | None
    change: WorkspaceChange


def map_columns(
    headers: Sequence[str], chosen: Mapping[str, str], rules: Iterable[FieldRule]
) -> Columns:
    """Map each column to a field: as chosen, else by its header in English or Japanese.

    Args:
        headers: As written in the table.
        chosen: Header to field, or to `-` for a column to skip.
        rules: The connection's fields; a question whose answers fill a field is a header too.

    Raises:
        SettingsError: A choice fits no column or no field, or two columns are one field.
    """
    known = _known(rules)
    fields = {*known.values()}
    for header, field in chosen.items():
        if header not in headers:
            raise SettingsError(f"--map: the file has no column {header!r}")
        if field not in {*fields, NOTHING}:
            raise SettingsError(
                f"--map: {field} is not a field: use {', '.join(sorted(fields))}, or -"
            )
    found = [chosen.get(header) or known.get(_plain(header)) for header in headers]
    targets = tuple(None if field in {NOTHING, REASON} else field for field in found)
    for field, times in Counter(filter(None, targets)).items():
        if times > 1:
            several = ", ".join(h for h, t in zip(headers, targets, strict=True) if t == field)
            raise SettingsError(
                f'several columns are {field} ({several}): leave one out with --map "Header=-"'
            )
    unknown = [h for h, t in zip(headers, found, strict=True) if t is None and h.strip()]
    return Columns(targets, tuple(unknown))


def read_entry(columns: Columns, cells: Sequence[str]) -> Entry:
    """Read a row. An empty cell is ignored: it does not empty a field."""
    said = {
        target: cell.strip()
        for target, cell in zip(columns.targets, cells, strict=True)
        if target is not None and cell.strip()
    }
    contact_id, name, tags = (said.pop(target, "") for target in (ID, NAME, TAGS))
    values: dict[FieldName, Value] = {FieldName(field): text for field, text in said.items()}
    if name and not {"first_name", "last_name"} & said.keys():
        first, last = split_name(name)
        values |= {FieldName("first_name"): first}
        values |= {FieldName("last_name"): last} if last else {}
    change = WorkspaceChange(
        values=values,
        tags_added=frozenset(split_several(tags)),
    )
    return Entry(ContactId(contact_id) if contact_id else None, change)


def split_several(cell: str) -> tuple[str, ...]:
    """Split a cell with several values."""
    return tuple(one.strip() for one in _ENDS.split(cell) if one.strip())


def _known(rules: Iterable[FieldRule]) -> dict[str, str]:
    """Return the field of every known header, by its plain form."""
    known = {_plain(header): field for field, headers in _HEADERS.items() for header in headers}
    known |= {_plain(field): field for field in STANDARD_FIELDS}
    for rule in rules:
        known.setdefault(_plain(rule.field), rule.field)
        if rule.answer_label:
            known.setdefault(_plain(rule.answer_label), rule.field)
    return known


def _plain(header: str) -> str:
    """Return the common form of a header's spellings: `E-mail_Address `, `email address`."""
    return re.sub(r"[\s._\-‐ー:：*＊]+", "", normalize("NFKC", header)).casefold()

from dataclasses import dataclass

import pytest

from tests import make
from timerex_ghl.domain.contacts.identity import (
    Candidate,
    Keys,
    Match,
    NoMatch,
    SeveralMatches,
    can_be_found,
    ghl_keys_of,
    is_same_person,
    keys_of,
    keys_of_others,
    match_person,
)

RIKU, AOI, KENJI = "riku@hinode.example", "aoi@hinode.example", "kenji@hinode.example"
OFFICE, MOBILE = "+81312345678", "+819012345678"
NOBODY = Keys(None, None)


def person(name: str, email: str | None, phone: str | None, *more: str) -> Candidate[str]:
    """Make a candidate; `more` are additional e-mails and phones."""
    emails = frozenset(one for one in more if "@" in one)
    return Candidate(name, name, Keys(email, phone, emails, frozenset(more) - emails))


@dataclass(frozen=True)
class Case:
    """Who has the keys of the person in question, and who else cannot be it."""

    keys: Keys
    people: tuple[Candidate[str], ...]
    matched: Match[str] | NoMatch | SeveralMatches
    others: tuple[Keys, ...] = ()


@pytest.mark.parametrize(
    "case",
    [
        # an e-mail that one has decides
        Case(Keys(RIKU, OFFICE), (), NoMatch()),
        Case(Keys(RIKU, None), (person("a", RIKU, None),), Match("a")),
        Case(Keys(RIKU, OFFICE), (person("a", RIKU, MOBILE),), Match("a")),
        Case(Keys(RIKU, OFFICE), (person("a", RIKU, None), person("b", None, OFFICE)), Match("a")),
        Case(
            Keys(RIKU, OFFICE),
            (person("a", RIKU, OFFICE), person("b", AOI, OFFICE), person("c", KENJI, OFFICE)),
            Match("a"),
        ),
        # additional e-mails and phones count, on either record
        Case(Keys(RIKU, None), (person("a", AOI, None, RIKU),), Match("a")),
        Case(Keys(AOI, None, frozenset({RIKU})), (person("a", RIKU, None),), Match("a")),
        Case(Keys(None, OFFICE), (person("a", AOI, MOBILE, OFFICE),), Match("a")),
        # several have the e-mail
        Case(
            Keys(RIKU, None),
            (person("b", AOI, None, RIKU), person("a", RIKU, None)),
            SeveralMatches(("a", "b")),
        ),
        # a phone that one has, and no e-mails that differ
        Case(Keys(None, MOBILE), (person("a", RIKU, MOBILE),), Match("a")),
        Case(Keys(RIKU, MOBILE), (person("a", None, MOBILE),), Match("a")),
        Case(Keys(RIKU, OFFICE), (person("a", KENJI, OFFICE),), NoMatch()),
        Case(Keys(None, OFFICE + ";ext=12"), (person("a", None, OFFICE),), NoMatch()),
        # a phone that several have
        Case(Keys(RIKU, OFFICE), (person("a", None, OFFICE), person("b", AOI, OFFICE)), NoMatch()),
        Case(
            Keys(None, OFFICE),
            (person("a", None, OFFICE), person("b", AOI, OFFICE)),
            SeveralMatches(("a", "b")),
        ),
        Case(Keys(RIKU, OFFICE), (person("a", None, OFFICE),), NoMatch(), (Keys(AOI, OFFICE),)),
        Case(Keys(RIKU, MOBILE), (person("a", None, MOBILE),), Match("a"), (Keys(AOI, OFFICE),)),
        Case(NOBODY, (person("a", None, None),), NoMatch()),
    ],
)
def test_an_email_counts_first_and_a_phone_only_where_it_is_not_shared(case: Case) -> None:
    assert match_person(case.keys, case.people, case.others) == case.matched


def test_an_unlinked_ghl_contact_that_fits_one_person_here_is_not_another_one() -> None:
    known = [person("c", None, OFFICE)]

    assert keys_of_others(known, [person("g", AOI, OFFICE)]) == []
    colleagues = [person("g", AOI, OFFICE), person("h", KENJI, OFFICE)]
    assert keys_of_others(known, colleagues) == [one.keys for one in colleagues]


def test_a_person_is_matched_by_normalised_email_and_phone() -> None:
    someone = make.contact(email=" Riku@Hinode.example", phone="０９０－１２３４－５６７８")

    assert keys_of(someone, "JP") == Keys(RIKU, MOBILE)
    assert keys_of(make.contact({"email": "riku", "phone": None}), "JP") == NOBODY
    assert keys_of(make.contact({}), "JP") == NOBODY


@pytest.mark.parametrize(
    ("phone", "name", "key"),
    [
        ("03-1234-5678 ext. 12", None, f"{OFFICE};ext=12"),
        ("03-1234-5678 内線12", None, f"{OFFICE};ext=12"),
        ("０３－１２３４－５６７８（内線：12）", None, f"{OFFICE};ext=12"),
        ("03-1234-5678（代表）", None, None),
        ("03-1234-5678(代)", None, None),
        ("代表 03-1234-5678", None, None),
        ("代表電話：03-1234-5678", "田中 葵", f"{OFFICE};name=田中葵"),
    ],
)
def test_an_extension_is_part_of_the_key_and_a_main_line_needs_a_name(
    phone: str, name: str | None, key: str | None
) -> None:
    keys = keys_of(make.contact({"phone": phone, "first_name": name}), "JP")

    assert keys == Keys(None, key)
    assert not can_be_found(keys)


def test_a_ghl_contact_is_matched_by_its_additional_keys_too() -> None:
    ghl = make.ghl_contact().model_copy(
        update={"additional_emails": ("Aoi@Hinode.example", "?"), "additional_phones": (MOBILE,)}
    )

    keys = ghl_keys_of(ghl, make.contact(), "JP")

    assert (keys.emails, keys.phones) == ({RIKU, AOI}, {MOBILE})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Keys(RIKU, MOBILE), Keys(RIKU, OFFICE), True),
        (Keys(RIKU, MOBILE), Keys(AOI, MOBILE), False),
        (Keys(RIKU, MOBILE), Keys(None, MOBILE), True),
        (Keys(RIKU, None), Keys(AOI, None, frozenset({RIKU})), True),
        (Keys(RIKU, None), Keys(None, MOBILE), False),
        (NOBODY, NOBODY, False),
    ],
)
def test_a_contact_that_ghl_names_is_accepted_by_the_same_rule(
    one: Keys, other: Keys, *, same: bool
) -> None:
    assert is_same_person(one, other) is same

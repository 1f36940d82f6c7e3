from typing import NamedTuple

import pytest

from tests import make
from timerex_ghl.domain.contacts.identity import (
    Keys,
    Match,
    NoMatch,
    SeveralMatches,
    is_same_person,
    keys_of,
    match_person,
)

E1, E2 = "riku@hinode.example", "riku@aoba.example"
P1, P2 = "090-1234-5678", "03-1234-5678"


class Someone(NamedTuple):
    id: str
    found: str = ""


A, B, C = Someone("a"), Someone("b"), Someone("c")


@pytest.mark.parametrize(
    ("by_link", "by_email", "by_phone", "matched"),
    [
        (None, [], [], NoMatch()),
        (None, [A], [], Match(A)),
        (None, [], [A], Match(A)),
        (None, [A], [A], Match(A)),
        (None, [A], [Someone("a", "later")], Match(Someone("a", "later"))),
        (None, [A], [B], SeveralMatches(("a", "b"))),
        (None, [B], [A], SeveralMatches(("a", "b"))),
        (None, [A, B], [], SeveralMatches(("a", "b"))),
        (None, [], [A, B], SeveralMatches(("a", "b"))),
        (None, [A], [A, B], SeveralMatches(("a", "b"))),
        (None, [A, B], [C], SeveralMatches(("a", "b", "c"))),
        (C, [], [], Match(C)),
        (C, [A], [B], Match(C)),
        (C, [A, B], [C], Match(C)),
    ],
)
def test_the_person_is_resolved_by_link_then_by_keys_that_agree(
    by_link: Someone | None,
    by_email: list[Someone],
    by_phone: list[Someone],
    matched: Match[Someone] | NoMatch | SeveralMatches,
) -> None:
    assert match_person(by_link, by_email, by_phone, lambda person: person.id) == matched


def test_a_person_is_matched_by_normalised_email_and_phone() -> None:
    someone = make.contact(email=" Riku@Hinode.example", phone="０９０－１２３４－５６７８")

    assert keys_of(someone, "JP") == Keys("riku@hinode.example", "+819012345678")
    assert keys_of(make.contact({"email": "riku", "phone": None}), "JP") == Keys(None, None)
    assert keys_of(make.contact({}), "JP") == Keys(None, None)


@pytest.mark.parametrize(
    ("local", "remote", "same"),
    [
        # both keys on both sides
        ((E1, P1), (E1, P1), True),
        ((E1, P1), (E1, P2), False),
        ((E1, P1), (E2, P1), False),
        ((E1, P1), (E2, P2), False),
        # one side has one key
        ((E1, P1), (E1, None), True),
        ((E1, P1), (None, P1), True),
        ((E1, P1), (E2, None), False),
        ((E1, None), (E1, P1), True),
        ((None, P1), (E1, P1), True),
        ((None, P1), (E1, P2), False),
        # nothing in common to match by
        ((E1, None), (None, P1), False),
        ((None, None), (E1, P1), False),
        ((E1, P1), (None, None), False),
        ((None, None), (None, None), False),
        # spelling does not matter
        ((E1.upper(), None), (E1, P1), True),
        ((None, "+81 90 1234 5678"), (None, P1), True),
    ],
)
def test_a_contact_is_accepted_only_if_one_key_agrees_and_none_contradicts(
    local: tuple[str | None, str | None], remote: tuple[str | None, str | None], *, same: bool
) -> None:
    one, other = (make.contact({"email": e, "phone": p}) for e, p in (local, remote))

    assert is_same_person(one, other, "JP") is same

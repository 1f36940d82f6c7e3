"""Resolve identity: match keys, and the choice among the contacts that were found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from timerex_ghl.domain.shared.models import Contact, FieldName
from timerex_ghl.domain.shared.normal import email_key, phone_key

T = TypeVar("T")


class Keys(NamedTuple):
    """Normalized match keys of a contact. None: nothing to match by."""

    email: str | None
    phone: str | None


@dataclass(frozen=True)
class Match(Generic[T]):
    """Exactly one contact matches."""

    person: T


@dataclass(frozen=True)
class NoMatch:
    """No contact matches."""


@dataclass(frozen=True)
class SeveralMatches:
    """Several contacts match: a review is needed before any write."""

    ids: tuple[str, ...]


def keys_of(contact: Contact, region: str) -> Keys:
    """Return the keys a contact is matched by."""
    return Keys(
        email_key(contact.values.get(FieldName("email"))),
        phone_key(contact.values.get(FieldName("phone")), region),
    )


def match_person(
    by_link: T | None, by_email: Sequence[T], by_phone: Sequence[T], id_of: Callable[[T], str]
) -> Match[T] | NoMatch | SeveralMatches:
    """Return the one match, if there is one. A link outranks every key."""
    if by_link is not None:
        return Match(by_link)
    people = {id_of(person): person for person in (*by_email, *by_phone)}
    match [*people.values()]:
        case []:
            return NoMatch()
        case [person]:
            return Match(person)
        case _:
            return SeveralMatches(tuple(sorted(people)))


def is_same_person(local: Contact, remote: Contact, region: str) -> bool:
    """Return whether a GHL contact found by a key may be accepted as this contact.

    One key must agree, and the other must not contradict: both filled and different needs a review.
    """
    pairs = [*zip(keys_of(local, region), keys_of(remote, region), strict=True)]
    agree = any(one is not None and one == other for one, other in pairs)
    contradict = any(one and other and one != other for one, other in pairs)
    return agree and not contradict

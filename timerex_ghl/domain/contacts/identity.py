"""Resolve identity: match keys, and the choice among the contacts that the keys find."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from timerex_ghl.domain.shared.models import Contact, FieldName, GhlContact
from timerex_ghl.domain.shared.normal import (
    email_key,
    fold_name,
    main_line_of,
    number_of,
    phone_match_key,
)

T = TypeVar("T")
Other = TypeVar("Other")

NONE: frozenset[str] = frozenset()


class Keys(NamedTuple):
    """Normalized match keys of a contact.

    Attributes:
        email: None where there is no e-mail.
        phone: Number and extension, which are one key. A main line is one only together with the
            person's name. None where there is neither.
        more_emails: Additional e-mails, which GHL's contacts may have.
        more_phones: Additional phones, likewise.
    """

    email: str | None
    phone: str | None
    more_emails: frozenset[str] = NONE
    more_phones: frozenset[str] = NONE

    @property
    def emails(self) -> frozenset[str]:
        """Return every e-mail."""
        return self.more_emails if self.email is None else self.more_emails | {self.email}

    @property
    def phones(self) -> frozenset[str]:
        """Return every phone."""
        return self.more_phones if self.phone is None else self.more_phones | {self.phone}

    def joined(self, other: "Keys") -> "Keys":
        """Return the keys of a person whom two linked records describe."""
        return Keys(
            self.email or other.email,
            self.phone or other.phone,
            self.emails | other.emails,
            self.phones | other.phones,
        )


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


class Candidate(NamedTuple, Generic[T]):
    """A contact that may have some of the keys."""

    id: str
    person: T
    keys: Keys


def keys_of(contact: Contact, region: str) -> Keys:
    """Return the keys a contact is matched by."""
    values = contact.values
    phone = phone_match_key(values.get(FieldName("phone")), region)
    if phone is None:
        phone = _main_line_key(contact, region)
    return Keys(email_key(values.get(FieldName("email"))), phone)


def _main_line_key(contact: Contact, region: str) -> str | None:
    """Return the key of a main line with a name: a whole company has the number."""
    number = main_line_of(contact.values.get(FieldName("phone")), region)
    names = (contact.values.get(FieldName(name)) for name in ("last_name", "first_name"))
    name = fold_name(" ".join(one for one in names if isinstance(one, str)))
    return f"{number};name={name}" if number and name else None


def can_be_found(keys: Keys) -> bool:
    """Return whether GHL's search finds a contact by these keys: it knows no extensions."""
    return keys.email is not None or (
        keys.phone is not None and number_of(keys.phone) == keys.phone
    )


def ghl_keys_of(ghl: GhlContact, mapped: Contact, region: str) -> Keys:
    """Return the keys a GHL contact is matched by; `mapped` has its fields in canonical names."""
    emails = filter(None, map(email_key, ghl.additional_emails))
    phones = (phone_match_key(phone, region) for phone in ghl.additional_phones)
    return keys_of(mapped, region)._replace(
        more_emails=frozenset(emails), more_phones=frozenset(filter(None, phones))
    )


def match_person(
    keys: Keys, candidates: Iterable[Candidate[T]], others: Iterable[Keys] = ()
) -> Match[T] | NoMatch | SeveralMatches:
    """Return the one contact with these keys, if there is one. The caller looks at links first.

    An e-mail decides, whatever the phones are. A phone counts where one contact alone has it, and
    not both have e-mails, which differ then: colleagues and families share phones.

    Args:
        keys: Of the person in question.
        candidates: The contacts it may be.
        others: Keys of further contacts, which it cannot be: a phone of theirs is shared, too.
    """
    people = {one.id: one for one in candidates}
    by_email = match_email(keys, people.values())
    if not isinstance(by_email, NoMatch):
        return by_email
    by_phone = [one for one in people.values() if not keys.phones.isdisjoint(one.keys.phones)]
    is_shared = any(not keys.phones.isdisjoint(other.phones) for other in others)
    match by_phone:
        case []:
            return NoMatch()
        case [one] if not is_shared:
            return NoMatch() if keys.emails and one.keys.emails else Match(one.person)
        case _ if keys.emails:
            return NoMatch()
        case _:
            return SeveralMatches(tuple(sorted(one.id for one in by_phone)))


def match_email(
    keys: Keys, candidates: Iterable[Candidate[T]]
) -> Match[T] | NoMatch | SeveralMatches:
    """Return the one contact with one of these e-mails, if there is one."""
    found = {one.id: one for one in candidates if not keys.emails.isdisjoint(one.keys.emails)}
    match [*found.values()]:
        case []:
            return NoMatch()
        case [one]:
            return Match(one.person)
        case _:
            return SeveralMatches(tuple(sorted(found)))


def keys_of_others(
    known: Iterable[Candidate[T]], unlinked: Sequence[Candidate[Other]]
) -> list[Keys]:
    """Return the keys of those GHL contacts that are nobody's in the workspace, so far as known.

    One that matches a workspace contact is not a second person: it will be linked to it.

    Args:
        known: The workspace's contacts.
        unlinked: GHL's contacts that are not linked.
    """
    matches = (match_person(one.keys, unlinked) for one in known)
    paired = [match.person for match in matches if isinstance(match, Match)]
    return [one.keys for one in unlinked if not any(one.person is person for person in paired)]


def is_same_person(one: Keys, other: Keys) -> bool:
    """Return whether two records with these keys, and nobody else's, are one person's."""
    return isinstance(match_person(one, [Candidate("", None, other)]), Match)

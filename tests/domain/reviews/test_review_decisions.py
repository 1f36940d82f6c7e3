"""What a person may decide about a review, and what that means for the rules."""

import pytest
from pydantic import ValidationError

from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES
from timerex_ghl.domain.reviews.chosen_values import is_as_asked, rules_with_decision
from timerex_ghl.domain.reviews.review_decisions import (
    WAYS,
    Decision,
    Way,
    check_way,
    chosen_winners,
    ways_of,
)
from timerex_ghl.domain.shared.actions import Conflict
from timerex_ghl.domain.shared.errors import ReviewKind, SettingsError
from timerex_ghl.domain.shared.merge_field import Side
from timerex_ghl.domain.shared.models import BookingId, ConflictRule, ContactId, FieldName
from timerex_ghl.domain.shared.record_ref import RecordRef

RIKU = RecordRef.contact(ContactId("c_1"))
CITY, PHONE = FieldName("city"), FieldName("phone")


def decision(way: Way = Way.KEEP, **more: object) -> Decision:
    return Decision.model_validate({"way": way, "by": "kana", **more})


def conflict(workspace: str = "Nara", ghl: str = "Kobe") -> Conflict:
    return Conflict(field=CITY, workspace=workspace, ghl=ghl, base=None, winner=None)


def winners_of(decision_made: Decision) -> dict[FieldName, Side]:
    return chosen_winners(decision_made, CITY, [CITY, PHONE])


@pytest.mark.parametrize(
    ("way", "more"),
    [
        (Way.KEEP, {}),
        (Way.LINK, {}),
        (Way.DROP, {"link_to": "g1"}),
        (Way.RETRY, {"keep": "ghl"}),
        (Way.KEEP, {"values": {"city": ""}}),
        (Way.RETRY, {"by": ""}),
    ],
)
def test_half_a_decision_is_none(way: Way, more: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        decision(way, **more)


@pytest.mark.parametrize("side", ["workspace", "ghl"])
def test_a_side_that_is_kept_wins_what_was_asked_and_no_more(side: Side) -> None:
    chosen = winners_of(decision(keep=side))

    rules = {rule.field: rule.conflict for rule in rules_with_decision(DEFAULT_RULES, chosen)}

    assert chosen == {CITY: side}
    assert rules[CITY] == ConflictRule(side)
    assert rules[PHONE] == ConflictRule.NEWEST


def test_a_field_that_is_named_goes_its_own_way() -> None:
    chosen = winners_of(decision(keep="ghl", fields={CITY: "workspace", PHONE: "ghl"}))

    assert chosen == {CITY: "workspace", PHONE: "ghl"}


def test_a_typed_value_is_the_workspaces_and_wins() -> None:
    assert winners_of(decision(keep="ghl", values={CITY: "Nara"})) == {CITY: "workspace"}


@pytest.mark.parametrize(
    ("decision_made", "why"),
    [
        (decision(fields={PHONE: "ghl"}), "about city: say whose city to keep"),
        (decision(keep="ghl", fields={FieldName("state"): "ghl"}), "state has no open conflict"),
        (decision(keep="ghl", values={FieldName("state"): "Nara"}), "state has no open conflict"),
    ],
)
def test_what_was_not_asked_is_not_resolved(decision_made: Decision, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        winners_of(decision_made)


@pytest.mark.parametrize("kind", WAYS)
def test_what_does_not_fit_a_kind_is_refused_with_what_does(kind: ReviewKind) -> None:
    for way in set(Way) - set(WAYS[kind]):
        more: dict[str, object] = {"link_to": "g1"} if way is Way.LINK else {}
        more |= {"keep": "ghl"} if way is Way.KEEP else {}
        fits = f"kind {kind} about a contact can be resolved by {WAYS[kind][0]}"
        with pytest.raises(SettingsError, match=fits):
            check_way(kind, RIKU, decision(way, **more))


def test_keeping_a_side_resolves_only_a_conflict() -> None:
    with pytest.raises(SettingsError, match="type values"):
        check_way("no-key", RIKU, decision(keep="ghl"))

    check_way("no-key", RIKU, decision(values={FieldName("email"): "riku@hinode.example"}))


def test_values_are_typed_for_contacts_only() -> None:
    note = RecordRef("note", "n_1")

    assert ways_of("refused", note) == (Way.RETRY, Way.DROP)
    assert ways_of("conflict", note) == (Way.KEEP,)
    with pytest.raises(SettingsError, match="about a note can be resolved by retry, drop"):
        check_way("refused", note, decision(values={FieldName("title"): "Call"}))


def test_a_booking_that_timerex_lacks_is_linked_to_nobody() -> None:
    assert ways_of("gone", RecordRef.booking(BookingId("b1"))) == (Way.RETRY, Way.DROP)


def test_values_that_changed_meanwhile_are_not_those_that_were_asked_about() -> None:
    def is_still(local: str | None, remote: str | None) -> bool:
        return is_as_asked([conflict()], {CITY: local}, {CITY: remote}, "JP")

    assert is_still("Nara", "Kobe")
    assert not is_still("Nara", "Osaka")
    assert not is_still("Kobe", "Kobe")
    assert not is_still("Nara", None)


def test_a_decision_is_reported_without_what_was_typed() -> None:
    notification = decision(keep="ghl", values={PHONE: "+81312345678"}).in_words()

    assert notification == "keep ghl, phone: typed in"
    assert decision(Way.LINK, link_to="g1").in_words() == "link g1"

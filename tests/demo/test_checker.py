"""The checker finds every planted difference, and nothing where both sides agree."""

from typing import Any

import pytest

from tests import make
from timerex_ghl.demo.checker import FIELDS, Truth, disagreements
from timerex_ghl.domain.shared.models import WorkspaceContact

NOTE = "Booked: Onboarding call 30\nTimeRex booking 4f0a9c2be771"
TRUTH = Truth("riku@hinode.example", "Booked")
SAME = {
    "first_name": "陸", "last_name": "佐藤", "email": "riku@hinode.example",
    "phone": "090-1234-5602", "address": "1-2-3 Ginza", "city": "Chuo", "state": "Tokyo",
    "postal_code": "104-0061", "country": "JP", "website": "https://hinode.example",
}  # fmt: skip


def local(
    id_: str = "c_1", *, changes: dict[str, str | None] | None = None, **more: str | None
) -> WorkspaceContact:
    values = {**SAME, **(changes or {}), **more}
    return make.workspace_contact(id_, of=make.contact(values, tags=("VIP",)))


def remote(
    id_: str = "ghl-1",
    notes: tuple[str, ...] = (NOTE,),
    changes: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    contact = {ghl: SAME[own] for own, ghl in FIELDS.items()}
    spelled = {"email": "Riku@Hinode.example", "phone": "+819012345602", "tags": ["vip"]}
    bodies = [{"body": note} for note in notes]
    return {"id": id_, **contact, **spelled, "notes": bodies, **(changes or {}), **more}


def found(
    workspace: WorkspaceContact | None = None, crm: dict[str, Any] | None = None
) -> list[str]:
    return disagreements([workspace or local()], [crm or remote()], [TRUTH])


def test_equal_records_agree_however_e_mail_and_phone_are_spelled() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("workspace", "crm"),
    [
        (local(phone="０９０ 1234 5602"), remote()),
        (local(email="RIKU@hinode.example "), remote()),
        (local(city=None), remote(city="")),
        (local(state=None), {key: value for key, value in remote().items() if key != "state"}),
        (local(), remote(notes=("Called back, all fine", NOTE))),
        (
            local(),
            remote(
                notes=(),
            )
            | {"notes": [{"bodyText": NOTE, "body": "<p>markup</p>"}]},
        ),
    ],
)
def test_another_spelling_is_no_disagreement(
    workspace: WorkspaceContact, crm: dict[str, Any]
) -> None:
    assert found(workspace, crm) == []


@pytest.mark.parametrize(("own", "ghl"), [pair for pair in FIELDS.items() if pair[0] != "email"])
@pytest.mark.parametrize("wrong", ["Other", None])
def test_a_field_that_differs(own: str, ghl: str, wrong: str | None) -> None:
    assert found(crm=remote(changes={ghl: wrong})) == [
        f"contact c_1: {own} differs from GHL's {ghl}"
    ]
    assert found(local(changes={own: wrong})) == [f"contact c_1: {own} differs from GHL's {ghl}"]


def test_a_phone_one_digit_off() -> None:
    assert found(crm=remote(phone="+819012345603")) == [
        "contact c_1: phone differs from GHL's phone"
    ]


@pytest.mark.parametrize("tags", [[], ["vip", "new"], ["new"]])
def test_tags_that_differ(tags: list[str]) -> None:
    assert found(crm=remote(tags=tags)) == ["contact c_1: tags differ"]


def test_a_contact_that_is_missing_in_ghl() -> None:
    assert disagreements([local()], [], []) == ["contact c_1 is not in GHL"]


def test_a_contact_that_is_missing_here() -> None:
    assert disagreements([], [remote()], []) == ["GHL contact ghl-1 is not in the workspace"]


def test_a_deleted_row_counts_as_missing() -> None:
    deleted = local().model_copy(update={"deleted": True})

    assert disagreements([deleted], [remote()], []) == ["GHL contact ghl-1 is not in the workspace"]


def test_a_person_kept_twice() -> None:
    assert disagreements([local(), local("c_2")], [remote()], []) == [
        "2 contacts of one person in the workspace"
    ]
    assert disagreements([local()], [remote(), remote("ghl-2")], []) == [
        "2 contacts of one person in GHL"
    ]


@pytest.mark.parametrize(
    ("notes", "fault"),
    [
        ((), "GHL contact ghl-1: 0 notes about one booking"),
        ((NOTE, NOTE), "GHL contact ghl-1: 2 notes about one booking"),
        (("Booked, says somebody",), "GHL contact ghl-1: 0 notes about one booking"),
        ((NOTE.replace("Booked", "Cancelled"),),
         "GHL contact ghl-1: its note does not say 'Booked'"),
    ],
)  # fmt: skip
def test_a_wrong_note(notes: tuple[str, ...], fault: str) -> None:
    assert found(crm=remote(notes=notes)) == [fault]


def test_a_guest_who_never_arrived() -> None:
    assert disagreements([], [], [TRUTH]) == ["a guest is not in GHL"]


def test_people_are_never_named() -> None:
    lines = disagreements(
        [local(), local("c_2", email="kana@aoba.example")], [remote(city="Osaka", tags=[])], [TRUTH]
    )

    assert len(lines) == 3
    assert not any(word in "".join(lines) for word in ("example", "陸", "佐藤", "Osaka"))


def test_without_an_address_the_number_says_who_it_is() -> None:
    kana = local("c_2", email=None, phone="090-1234-5699")

    assert disagreements([local(email=None)], [remote(email=None)], []) == []
    assert disagreements([local(email=None), kana], [remote(email="")], []) == [
        "contact c_2 is not in GHL"
    ]


def test_nobody_is_omitted_for_want_of_both() -> None:
    nobody = [local(id_, email=None, phone=None) for id_ in ("c_1", "c_2")]

    assert sorted(disagreements(nobody, [], [])) == [
        "contact c_1 is not in GHL",
        "contact c_2 is not in GHL",
    ]

from datetime import timedelta

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import review_lookups, reviews
from timerex_ghl.domain.shared.errors import ReviewKind
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
LATER = make.NOW + timedelta(hours=1)
SUBJECT = RecordRef.parse("contact:c_1")


async def open_one(
    ledger: Ledger,
    *,
    kind: ReviewKind = "identity",
    subject: RecordRef = SUBJECT,
    connection: ConnectionName = AOBA,
    reason: str = "two could be this person",
    record_state: str = "1",
    asks_again: bool = False,
) -> tuple[str, bool]:
    opened = await ledger.write(
        reviews.open_review,
        connection=connection,
        kind=kind,
        subject=subject,
        reason=reason,
        detail={"candidates": ["g1", "g2"], "email": "riku@hinode.example"},
        record_state=record_state,
        asks_again=asks_again,
        now=make.NOW,
    )
    return opened.id, opened.is_new


async def test_an_open_review_reads_back_whole(ledger: Ledger) -> None:
    review_id, is_new = await open_one(ledger)

    [review] = await ledger.read(reviews.open_reviews, AOBA)

    assert is_new
    assert (review.id, review.kind, review.subject) == (review_id, "identity", SUBJECT)
    assert review.detail == {"candidates": ["g1", "g2"], "email": "riku@hinode.example"}
    assert (review.record_state, review.opened_at, review.resolved_at) == ("1", make.NOW, None)


async def test_the_same_matter_is_asked_once_with_its_latest_reason(ledger: Ledger) -> None:
    first, _ = await open_one(ledger)

    again, is_new = await open_one(ledger, reason="three could be", record_state="2")

    assert (again, is_new) == (first, False)
    [review] = await ledger.read(reviews.open_reviews, AOBA)
    assert (review.reason, review.record_state, review.opened_at) == (
        "three could be",
        "2",
        make.NOW,
    )


async def test_another_kind_subject_or_connection_is_another_matter(ledger: Ledger) -> None:
    ids = {
        (await open_one(ledger))[0],
        (await open_one(ledger, kind="conflict"))[0],
        (await open_one(ledger, subject=RecordRef.parse("contact:c_2")))[0],
        (await open_one(ledger, connection=HINODE))[0],
    }

    assert len(ids) == 4
    assert len(await ledger.read(reviews.open_reviews, AOBA)) == 3
    assert len(await ledger.read(reviews.open_reviews, HINODE)) == 1


async def test_a_resolved_review_no_longer_waits(ledger: Ledger) -> None:
    review_id, _ = await open_one(ledger)

    updated = await ledger.write(
        reviews.resolve_review, review_id, decision="keep apart", by="mori", now=LATER
    )

    assert updated
    assert await ledger.read(reviews.open_reviews, AOBA) == []
    assert len(await ledger.read(reviews.open_reviews, AOBA)) == 0


async def test_a_review_is_resolved_once(ledger: Ledger) -> None:
    review_id, _ = await open_one(ledger)
    await ledger.write(reviews.resolve_review, review_id, decision="join", by="mori", now=LATER)

    updated = await ledger.write(
        reviews.resolve_review, review_id, decision="keep apart", by="ito", now=LATER
    )

    assert not updated


async def test_a_resolved_matter_may_come_up_again(ledger: Ledger) -> None:
    first, _ = await open_one(ledger)
    await ledger.write(reviews.resolve_review, first, decision="join", by="mori", now=LATER)

    second, is_new = await open_one(ledger)

    assert is_new
    assert second != first
    assert [one.id for one in await ledger.read(reviews.open_reviews, AOBA)] == [second]


async def test_what_went_through_resolves_all_that_was_open_about_it(ledger: Ledger) -> None:
    await open_one(ledger)
    await open_one(ledger, kind="refused")
    other, _ = await open_one(ledger, subject=RecordRef.parse("contact:c_2"))
    await open_one(ledger, connection=HINODE)

    await ledger.write(reviews.close_reviews, AOBA, [SUBJECT], by="run-1", now=LATER)

    assert [one.id for one in await ledger.read(reviews.open_reviews, AOBA)] == [other]
    assert len(await ledger.read(reviews.open_reviews, HINODE)) == 1


async def resolve_as(ledger: Ledger, review_id: str, decision: str) -> None:
    await ledger.write(reviews.resolve_review, review_id, decision=decision, by="mori", now=LATER)


async def test_what_is_to_be_unchanged_is_not_asked_again_for_the_same_reason(
    ledger: Ledger,
) -> None:
    first, _ = await open_one(ledger)
    await resolve_as(ledger, first, "drop")

    again = await open_one(ledger, record_state="2")
    waiting = len(await ledger.read(reviews.open_reviews, AOBA))
    other, is_new = await open_one(ledger, reason="three could be")

    assert (again, waiting) == ((first, False), 0)
    assert is_new
    assert other != first


async def test_what_was_dropped_is_asked_again_once_somebody_does_something_new(
    ledger: Ledger,
) -> None:
    first, _ = await open_one(ledger)
    await resolve_as(ledger, first, "drop")

    again, is_new = await open_one(ledger, asks_again=True)

    assert is_new
    assert again != first


async def test_what_waits_of_one_kind_is_listed(ledger: Ledger) -> None:
    await open_one(ledger)
    waiting, _ = await open_one(
        ledger, kind="conflict", subject=RecordRef.parse("contact:c_1:city")
    )
    updated, _ = await open_one(
        ledger, kind="conflict", subject=RecordRef.parse("contact:c_1:state")
    )
    await resolve_as(ledger, updated, "keep ghl")

    assert [one.id for one in await ledger.read(reviews.open_of, AOBA, "conflict")] == [waiting]
    assert await ledger.read(reviews.conflict_subjects, AOBA) == [
        RecordRef.parse("contact:c_1:city")
    ]


async def test_it_is_known_since_when_nothing_was_asked_or_resolved(ledger: Ledger) -> None:
    review_id, _ = await open_one(ledger)
    opened = [
        await ledger.read(review_lookups.is_touched, AOBA, when) for when in (make.NOW, LATER)
    ]
    await resolve_as(ledger, review_id, "drop")

    assert opened == [True, False]
    assert await ledger.read(review_lookups.is_touched, AOBA, LATER)
    assert not await ledger.read(review_lookups.is_touched, AOBA, LATER + timedelta(seconds=1))
    assert not await ledger.read(review_lookups.is_touched, HINODE, make.NOW)

"""Small pools of values, so that both sides often have the same one, or another spelling."""

from collections.abc import Iterable

from hypothesis import strategies as st

from tests import make
from timerex_ghl.domain.shared.models import (
    Booking,
    BookingState,
    ConflictRule,
    Contact,
    Direction,
    FieldName,
    FieldRule,
    GhlContact,
    GhlField,
    Value,
)

POOLS: dict[str, tuple[Value, ...]] = {
    "first_name": (None, "", "Riku", "riku", "RIKU", "陸"),
    "email": (None, "", "Riku@Hinode.example", "riku@hinode.example", "r@aoba.example", "riku"),
    "phone": (None, "", "090-1234-5678", "+819012345678", "03-1234-5678", "ext. 12"),
    "company": (None, "㈱ひので", "(株)ひので", "Aoba"),
    "city": (None, " ", "Osaka", "Ｏｓａｋａ", "Kobe", "Kyoto"),
    "source": (None, "TimeRex", "Web"),
    "custom.size": (None, (), ("A",), "A", ("A", "B"), ("B", "A"), ("C",)),
}
GHL_NAMES = {
    "first_name": "firstName",
    "company": "companyName",
    "custom.size": "customFields.f1",
}
TAGS = ("vip", "VIP", " Hot  lead", "hot lead", "timerex booked", "newsletter")
TIMES = st.sampled_from([None, make.NOW, make.STARTS])


def ghl_name(field: str) -> GhlField:
    return GhlField(GHL_NAMES.get(field, field))


def values() -> st.SearchStrategy[dict[str, Value]]:
    pools = {field: st.sampled_from(pool) for field, pool in POOLS.items()}
    return st.fixed_dictionaries({}, optional=pools)


def tag_sets(names: Iterable[str] = TAGS) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from([*names]))


contacts: st.SearchStrategy[Contact] = st.builds(
    make.contact, values(), tags=tag_sets(), updated_at=TIMES
)
ghl_contacts: st.SearchStrategy[GhlContact] = st.builds(
    make.ghl_contact,
    values().map(lambda known: {ghl_name(field): value for field, value in known.items()}),
    tags=tag_sets({tag.lower() for tag in TAGS}),
    updated_at=TIMES,
)


@st.composite
def rules(draw: st.DrawFn) -> tuple[FieldRule, ...]:
    return tuple(
        make.rule(
            field,
            ghl_name(field),
            direction=draw(st.sampled_from(Direction)),
            conflict=draw(st.sampled_from(ConflictRule)),
            create_only=field in {"company", "source"},
            empty_wipes=draw(st.booleans()),
        )
        for field in draw(st.permutations([*POOLS]))
    )


def is_custom_or_received(field: FieldName, ghl: GhlContact) -> bool:
    return field.startswith("custom.") or ghl_name(field) in ghl.values


@st.composite
def chains(draw: st.DrawFn) -> list[Booking]:
    """Every delivery of one chain of reschedules, where each half names the other or not."""
    length = draw(st.integers(min_value=1, max_value=4))
    ids = "abcd"[:length]
    deliveries: list[Booking] = []
    for at, id_ in enumerate(ids):
        old = ids[at - 1] if at else None
        new = ids[at + 1] if at + 1 < length else None
        comment, join_url = (draw(st.sampled_from([None, "x", "z", "yy"])) for _ in range(2))
        named = draw(st.booleans())
        deliveries.append(make.booking(id_, old_id=old if named else None, guest_comment=comment))
        end = BookingState.MOVED if new else BookingState.CANCELLED
        if new or draw(st.booleans()):
            deliveries.append(make.booking(id_, state=end, new_id=new, join_url=join_url))
    return deliveries

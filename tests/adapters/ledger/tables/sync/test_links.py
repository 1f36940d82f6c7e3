from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link, LinkKind
from timerex_ghl.domain.shared.models import ConnectionName

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
LATER = make.NOW + timedelta(hours=1)


def pair(
    local_id: str = "c_1",
    remote_id: str = "ghl-1",
    *,
    connection: ConnectionName = AOBA,
    kind: LinkKind = "contact",
) -> Link:
    return Link(connection=connection, kind=kind, local_id=local_id, remote_id=remote_id)


IN_SYNC = pair().model_copy(
    update={
        "local_version": 3,
        "written_at": LATER,
        "base": make.contact(city=None, likes=("tea", "go"), tags={"vip"}, updated_at=None),
        "digest": "d1",
    }
)


@pytest.mark.parametrize("link", [IN_SYNC, pair()], ids=["in sync", "new"])
async def test_a_link_reads_back_from_either_side(ledger: Ledger, link: Link) -> None:
    await ledger.write(links.save_links, [link])

    assert await ledger.read(links.link_of_local, AOBA, "contact", "c_1") == link
    assert await ledger.read(links.link_of_remote, AOBA, "contact", "ghl-1") == link


async def test_a_base_without_tags_stays_without(ledger: Ledger) -> None:
    base = make.contact(tags=None, updated_at=None)
    link = IN_SYNC.model_copy(update={"base": base})
    await ledger.write(links.save_links, [link])

    assert await ledger.read(links.link_of_local, AOBA, "contact", "c_1") == link


async def test_a_saved_link_replaces_the_earlier_state(ledger: Ledger) -> None:
    await ledger.write(links.save_links, [IN_SYNC])
    moved = IN_SYNC.model_copy(update={"local_version": 4, "base": None, "remote_id": "ghl-2"})

    await ledger.write(links.save_links, [moved])

    assert await ledger.read(links.link_of_local, AOBA, "contact", "c_1") == moved
    assert await ledger.read(links.link_of_remote, AOBA, "contact", "ghl-1") is None


async def test_a_second_partner_is_refused_and_the_first_stays(ledger: Ledger) -> None:
    await ledger.write(links.save_links, [IN_SYNC])

    with pytest.raises(IntegrityError):
        await ledger.write(links.save_links, [pair("c_2", "ghl-1")])

    assert await ledger.read(links.link_of_remote, AOBA, "contact", "ghl-1") == IN_SYNC
    assert await ledger.read(links.link_of_local, AOBA, "contact", "c_2") is None


async def test_connections_and_kinds_pair_by_themselves(ledger: Ledger) -> None:
    pairs = [pair(), pair(connection=HINODE), pair(kind="booking-note")]
    for link in pairs:
        await ledger.write(links.save_links, [link])

    for link in pairs:
        assert await ledger.read(links.link_of_local, link.connection, link.kind, "c_1") == link
        assert await ledger.read(links.link_of_remote, link.connection, link.kind, "ghl-1") == link


async def test_some_links_are_read_at_once(ledger: Ledger) -> None:
    for number in range(3):
        await ledger.write(links.save_links, [pair(f"c_{number}", f"ghl-{number}")])
    await ledger.write(links.save_links, [pair("c_9", "ghl-9", connection=HINODE)])

    found = await ledger.read(links.links_of_locals, AOBA, "contact", ["c_0", "c_2", "c_9"])

    assert found == {"c_0": pair("c_0", "ghl-0"), "c_2": pair("c_2", "ghl-2")}
    assert await ledger.read(links.links_of_locals, AOBA, "contact", []) == {}


async def test_a_moved_link_keeps_everything_but_our_record(ledger: Ledger) -> None:
    await ledger.write(links.save_links, [IN_SYNC])
    await ledger.write(links.save_links, [pair(connection=HINODE)])

    await ledger.write(links.move_link, AOBA, "contact", "c_1", "c_2")

    assert await ledger.read(links.link_of_local, AOBA, "contact", "c_1") is None
    moved = await ledger.read(links.link_of_remote, AOBA, "contact", "ghl-1")
    assert moved == IN_SYNC.model_copy(update={"local_id": "c_2"})
    assert await ledger.read(links.link_of_local, HINODE, "contact", "c_1") is not None


async def test_a_link_is_not_moved_onto_somebody_who_has_one(ledger: Ledger) -> None:
    await ledger.write(links.save_links, [pair("c_1", "ghl-1")])
    await ledger.write(links.save_links, [pair("c_2", "ghl-2")])

    with pytest.raises(IntegrityError):
        await ledger.write(links.move_link, AOBA, "contact", "c_1", "c_2")


async def test_a_dropped_link_frees_both_systems(ledger: Ledger) -> None:
    others = [pair(connection=HINODE), pair(kind="booking-note")]
    for link in [IN_SYNC, *others]:
        await ledger.write(links.save_links, [link])

    await ledger.write(links.drop_link, AOBA, "contact", "c_1")
    await ledger.write(links.save_links, [pair("c_2", "ghl-1")])

    assert await ledger.read(links.link_of_local, AOBA, "contact", "c_1") is None
    for link in others:
        assert await ledger.read(links.link_of_local, link.connection, link.kind, "c_1") == link

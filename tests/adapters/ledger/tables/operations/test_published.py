from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.domain.connections.settings import (
    ConnectionSettings,
    GhlSettings,
    PublishedConnection,
    TimerexSettings,
)
from timerex_ghl.domain.shared.models import ConnectionName, LocationId

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
ENDPOINT, NEW_ENDPOINT = "d00r5f1c9a7be2d44c86", "d00r0b3e6f2a91c7d558"


def settings(
    name: ConnectionName = AOBA, *, endpoint: str = ENDPOINT, poll_minutes: int = 5
) -> ConnectionSettings:
    return ConnectionSettings(
        name=name,
        ghl=GhlSettings(
            location_id=LocationId("loc-1"),
            base_url="https://ghl.example",
            token_url="https://ghl.example/oauth/token",
            app_url="https://app.ghl.example",
            credentials="aoba-ghl",
            auth="private-token",
            scopes=frozenset({"contacts.write", "contacts.readonly", "locations.readonly"}),
        ),
        timerex=TimerexSettings(
            credentials="aoba-timerex",
            endpoint=endpoint,
            header="x-token",
            token_digests=("a" * 64,),
        ),
        region="JP",
        rules=(make.rule("city"), make.rule("custom.職業", "customFields.x1", answer_label="職業")),
        poll_minutes=poll_minutes,
    )


async def publish(ledger: Ledger, new: ConnectionSettings, hours: int = 0) -> PublishedConnection:
    now = make.NOW + timedelta(hours=hours)
    return await ledger.write(published.publish, new, now=now)


async def test_published_settings_read_back_whole(ledger: Ledger) -> None:
    version = await publish(ledger, settings())

    assert version == PublishedConnection(version=1, settings=settings(), published_at=make.NOW)
    assert await ledger.read(published.current, AOBA) == version


async def test_the_same_settings_make_no_new_version(ledger: Ledger) -> None:
    version = await publish(ledger, settings())

    assert await publish(ledger, settings(), hours=1) == version


async def test_other_settings_make_the_next_version(ledger: Ledger) -> None:
    await publish(ledger, settings())

    version = await publish(ledger, settings(poll_minutes=10), hours=1)

    assert version.version == 2
    assert await ledger.read(published.current, AOBA) == version
    assert await ledger.read(published.all_published) == [version]


async def test_going_back_is_a_version_of_its_own(ledger: Ledger) -> None:
    await publish(ledger, settings())
    await publish(ledger, settings(poll_minutes=10))

    version = await publish(ledger, settings())

    assert version.version == 3


async def test_an_earlier_version_stays_as_it_was(ledger: Ledger) -> None:
    def first(tx: Connection) -> tuple[object, ...]:
        query = "SELECT settings, published_at FROM published_connections"
        return tuple(tx.execute(text(f"{query} WHERE version = 1")).one())

    await publish(ledger, settings())
    before = await ledger.read(first)

    await publish(ledger, settings(poll_minutes=10), hours=1)

    assert await ledger.read(first) == before


async def test_two_connections_never_share_a_endpoint(ledger: Ledger) -> None:
    version = await publish(ledger, settings())

    with pytest.raises(IntegrityError):
        await publish(ledger, settings(HINODE))

    assert await ledger.read(published.current, HINODE) is None
    assert await ledger.read(published.all_published) == [version]


async def test_a_refused_version_leaves_the_earlier_one_running(ledger: Ledger) -> None:
    await publish(ledger, settings())
    hinode = await publish(ledger, settings(HINODE, endpoint=NEW_ENDPOINT))

    with pytest.raises(IntegrityError):
        await publish(ledger, settings(HINODE))

    assert await ledger.read(published.current, HINODE) == hinode


async def test_connections_are_numbered_and_listed_by_themselves(ledger: Ledger) -> None:
    hinode = await publish(ledger, settings(HINODE, endpoint=NEW_ENDPOINT))
    aoba = await publish(ledger, settings())

    assert (aoba.version, hinode.version) == (1, 1)
    assert await ledger.read(published.all_published) == [aoba, hinode]


async def test_what_was_never_published_is_none(ledger: Ledger) -> None:
    assert await ledger.read(published.current, AOBA) is None
    assert await ledger.read(published.all_published) == []

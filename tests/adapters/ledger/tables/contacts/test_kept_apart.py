from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.contacts import kept_apart
from timerex_ghl.adapters.ledger.tables.contacts.kept_apart import ContactPair
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, GhlContactId

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")
G1, G2 = GhlContactId("g1"), GhlContactId("g2")
PAIR = ContactPair(ContactId("c_1"), G1)


async def test_a_pair_is_kept_apart_in_its_connection_only(ledger: Ledger) -> None:
    await ledger.write(kept_apart.keep_apart, AOBA, [PAIR])

    assert await ledger.read(kept_apart.apart_from, AOBA, [G1, G2]) == {PAIR}
    assert await ledger.read(kept_apart.apart_from, AOBA, [G2]) == set()
    assert await ledger.read(kept_apart.apart_from, HINODE, [G1]) == set()


async def test_saying_it_twice_is_saying_it(ledger: Ledger) -> None:
    for _ in range(2):
        pairs = [PAIR, ContactPair(PAIR.contact_id, G2)]
        await ledger.write(kept_apart.keep_apart, AOBA, pairs)

    assert len(await ledger.read(kept_apart.apart_from, AOBA, [G1, G2])) == 2

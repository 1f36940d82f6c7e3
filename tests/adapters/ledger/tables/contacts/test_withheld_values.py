"""Values that GHL does not accept are outdated once no other GHL contact has them."""

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, withheld_values
from timerex_ghl.adapters.ledger.tables.contacts.ghl_contacts import Snapshot
from timerex_ghl.domain.contacts.identity import Keys
from timerex_ghl.domain.shared.actions import WithheldValue
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, FieldName, GhlContactId

AOBA = ConnectionName("aoba")
RIKU, HANA = ContactId("c_riku"), ContactId("c_hana")
PHONE, OTHER = "+819012345678", "+819012345679"


async def read(ledger: Ledger, ghl_id: str, keys: Keys) -> None:
    """Store a GHL contact with these keys."""
    snapshot = Snapshot(make.ghl_contact(id_=ghl_id), keys, "d1")
    await ledger.write(ghl_contacts.save_snapshots, AOBA, [snapshot], make.NOW)


def withheld(ghl_id: str, phone: str) -> list[WithheldValue]:
    return [WithheldValue(field=FieldName("phone"), key=phone, ghl_id=GhlContactId(ghl_id))]


async def test_one_is_outdated_although_another_one_is_still_an_additional_phone(
    ledger: Ledger,
) -> None:
    await read(ledger, "g_1", Keys(None, None, frozenset(), frozenset({PHONE})))
    await read(ledger, "g_2", Keys(None, OTHER))
    several = {RIKU: withheld("g_1", PHONE), HANA: withheld("g_2", PHONE)}
    await ledger.write(withheld_values.replace_withheld, AOBA, several)

    assert await ledger.read(withheld_values.list_outdated, AOBA) == [HANA]


async def test_none_is_outdated_while_the_other_contact_has_the_phone(ledger: Ledger) -> None:
    await read(ledger, "g_1", Keys(None, PHONE))
    await ledger.write(withheld_values.replace_withheld, AOBA, {RIKU: withheld("g_1", PHONE)})

    assert await ledger.read(withheld_values.list_outdated, AOBA) == []

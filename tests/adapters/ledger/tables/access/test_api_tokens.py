from datetime import timedelta

from sqlalchemy import Connection, text

from tests import make
from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import api_tokens
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.domain.shared.models import ConnectionName

AOBA, HINODE = ConnectionName("aoba"), ConnectionName("hinode")


async def create(ledger: Ledger, connection: ConnectionName = AOBA) -> tuple[str, str]:
    token_id, token = await ledger.write(
        api_tokens.create_token, connection, name="site", may_write=True, by="kana", now=make.NOW
    )
    return token_id, token.get_secret_value()


async def test_a_token_is_found_and_only_its_digest_is_kept(ledger: Ledger) -> None:
    token_id, token = await create(ledger)

    found = await ledger.read(api_tokens.find_token, token)

    assert found is not None
    assert (found.id, found.connection, found.may_write) == (token_id, AOBA, True)
    assert token not in await ledger.read(everything)
    assert token.startswith("tgk_")
    assert len(token) == len("tgk_") + 43


def everything(tx: Connection) -> str:
    tables = ("api_tokens", "audit")
    return "".join(str([*tx.execute(text(f"SELECT * FROM {name}"))]) for name in tables)  # noqa: S608


async def test_no_two_tokens_are_alike(ledger: Ledger) -> None:
    (first_id, first), (second_id, second) = await create(ledger), await create(ledger)

    assert first_id != second_id
    assert first != second


async def test_what_is_nearly_a_token_is_none(ledger: Ledger) -> None:
    _, token = await create(ledger)

    for wrong in (token[:-1], token + "x", token.swapcase(), "", "tgk_"):
        assert await ledger.read(api_tokens.find_token, wrong) is None


async def test_a_revoked_token_is_over_for_good(ledger: Ledger) -> None:
    token_id, token = await create(ledger)

    assert await ledger.write(api_tokens.revoke_token, token_id, by="kana", now=make.NOW)
    assert not await ledger.write(api_tokens.revoke_token, token_id, by="kana", now=make.NOW)

    assert await ledger.read(api_tokens.find_token, token) is None
    assert await ledger.write(api_tokens.revoke_token, "t_1", by="kana", now=make.NOW) is None


async def test_making_and_revoking_stand_in_the_audit(ledger: Ledger) -> None:
    token_id, _ = await create(ledger)
    await ledger.write(api_tokens.revoke_token, token_id, by="jun", now=make.NOW)

    last, first = await ledger.read(audit.entries, AOBA, 10)

    assert (first.what, first.detail) == ("token created", {"by": "kana", "write": True})
    assert (last.what, last.detail) == ("token revoked", {"by": "jun"})
    assert str(first.subject) == str(last.subject) == f"token:{token_id}"


async def test_tokens_are_listed_by_connection(ledger: Ledger) -> None:
    local, _ = await create(ledger)
    remote, _ = await create(ledger, HINODE)

    assert [one.id for one in await ledger.read(api_tokens.list_tokens, AOBA)] == [local]
    assert {one.id for one in await ledger.read(api_tokens.list_tokens)} == {local, remote}


async def test_use_is_recorded_once_a_minute(ledger: Ledger) -> None:
    token_id, token = await create(ledger)
    fresh = await ledger.read(api_tokens.find_token, token)
    await ledger.write(api_tokens.note_use, token_id, make.NOW)
    used = await ledger.read(api_tokens.find_token, token)

    assert fresh is not None
    assert used is not None
    assert used.used_at == make.NOW
    assert api_tokens.is_use_to_be_recorded(fresh, make.NOW)
    assert not api_tokens.is_use_to_be_recorded(used, make.NOW + timedelta(seconds=59))
    assert api_tokens.is_use_to_be_recorded(used, make.NOW + timedelta(seconds=60))

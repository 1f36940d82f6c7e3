"""Stored tokens: encrypted, replaced by compare-and-swap, and their state."""

from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.access import oauth_tokens
from timerex_ghl.adapters.ledger.tables.access.oauth_tokens import StoredTokens
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.domain.shared.errors import SettingsError

KEY = SecretKey(Fernet.generate_key().decode())
AT = datetime(2026, 2, 3, 5, tzinfo=UTC)


def pair(number: int = 1, **changes: object) -> StoredTokens:
    fields: dict[str, object] = {
        "key": "app:locAoba",
        "version": number,
        "access": SecretStr(f"access-canary-{number}"),
        "refresh": SecretStr(f"refresh-canary-{number}"),
        "expires_at": AT,
        "scopes": frozenset({"contacts.readonly", "contacts.write"}),
        "seeds": frozenset({oauth_tokens.digest_of_seed("seed-canary")}),
    }
    return StoredTokens.model_validate({**fields, **changes})


async def save(ledger: Ledger, one: StoredTokens, expected_version: int | None) -> bool:
    return await ledger.write(oauth_tokens.save_tokens, one, KEY, expected_version=expected_version)


async def stored(ledger: Ledger) -> StoredTokens | None:
    return await ledger.read(oauth_tokens.read_tokens, "app:locAoba", KEY)


async def test_what_was_saved_is_read_back(ledger: Ledger) -> None:
    assert await stored(ledger) is None
    assert await save(ledger, pair(), None)

    assert await stored(ledger) == pair()


async def test_a_family_without_an_access_token_is_read_back(ledger: Ledger) -> None:
    young = pair(access=None, expires_at=None, scopes=frozenset[str]())
    await save(ledger, young, None)

    assert await stored(ledger) == young


async def test_only_the_version_that_is_there_is_replaced(ledger: Ledger) -> None:
    await save(ledger, pair(), None)

    assert not await save(ledger, pair(), None)
    assert await save(ledger, pair(2), 1)
    assert not await save(ledger, pair(3), 1), "an old holder came late"
    assert await stored(ledger) == pair(2)


async def test_the_database_contains_no_token_in_clear(ledger: Ledger) -> None:
    await save(ledger, pair(), None)

    rows = await ledger.read(lambda tx: tx.execute(text("SELECT * FROM tokens")).all())

    assert "canary" not in str(rows)


async def test_tokens_do_not_show_themselves() -> None:
    assert "canary" not in f"{pair()!r} {pair()}"


async def test_another_key_opens_nothing(ledger: Ledger) -> None:
    await save(ledger, pair(), None)
    other = SecretKey(Fernet.generate_key().decode())

    with pytest.raises(SettingsError, match="another key"):
        await ledger.read(oauth_tokens.read_tokens, "app:locAoba", other)


async def test_a_doubt_is_recorded_and_forgotten(ledger: Ledger) -> None:
    await save(ledger, pair(), None)

    assert await ledger.write(oauth_tokens.mark_in_doubt, "app:locAoba", 1, AT)
    assert await stored(ledger) == pair(in_doubt_since=AT)
    assert await ledger.write(oauth_tokens.mark_in_doubt, "app:locAoba", 1, None)
    assert await stored(ledger) == pair()


async def test_a_dead_family_is_marked_and_a_new_pair_revives_it(ledger: Ledger) -> None:
    await save(ledger, pair(in_doubt_since=AT), None)

    assert await ledger.write(oauth_tokens.mark_reconnect, "app:locAoba", 1)

    assert await stored(ledger) == pair(state="reconnect")
    assert await save(ledger, pair(2), 1)
    assert await stored(ledger) == pair(2)


async def test_what_was_replaced_meanwhile_is_not_marked(ledger: Ledger) -> None:
    await save(ledger, pair(), None)
    await save(ledger, pair(2), 1)

    assert not await ledger.write(oauth_tokens.mark_in_doubt, "app:locAoba", 1, AT)
    assert not await ledger.write(oauth_tokens.mark_reconnect, "app:locAoba", 1)
    assert await stored(ledger) == pair(2)


async def test_families_that_were_ended_are_named_by_their_owner(ledger: Ledger) -> None:
    for key in ("app:locAoba", "app:locOsaka", "app:locXoba", "other:locAoba"):
        await save(ledger, pair(key=key), None)
    for key in ("app:locAoba", "app:locOsaka", "app:locXoba"):
        await ledger.write(oauth_tokens.mark_reconnect, key, 1)

    assert await ledger.read(oauth_tokens.ended_families, "locAoba") == ["app:locAoba:1"]
    assert await ledger.read(oauth_tokens.ended_families, "loc_oba") == []

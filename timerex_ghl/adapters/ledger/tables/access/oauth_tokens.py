"""Rotating OAuth tokens: stored encrypted, replaced by compare-and-swap."""

from datetime import datetime
from hashlib import sha256
from typing import Literal

from pydantic import AwareDatetime, SecretStr
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    Table,
    Text,
    insert,
    select,
    update,
)

from timerex_ghl.adapters.ledger.db.schema import UtcTime, metadata
from timerex_ghl.adapters.ledger.tables.access.secrets import SecretKey
from timerex_ghl.domain.shared.models import Record

_tokens = Table(
    "tokens",
    metadata,
    Column("key", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("access", LargeBinary),
    Column("refresh", LargeBinary, nullable=False),
    Column("expires_at", UtcTime),
    Column("scopes", Text, nullable=False),
    Column("seed_digest", Text, nullable=False),  # all of them, separated by blanks
    Column("in_doubt_since", UtcTime),
    Column("state", Text, nullable=False),
)


class StoredTokens(Record):
    """One installation's tokens.

    Attributes:
        key: Identifies the installation.
        version: Rises with each replacement; a save names the version it expects to replace.
        access: None before the first refresh.
        refresh: Works once.
        seeds: Digests of every refresh token from the block that was ever tried. None of them is
            tried again: a process with an older version of the block would restore a spent token.
        in_doubt_since: When a refresh was sent whose answer is not yet saved.
        state: `reconnect`: GHL refused the refresh token; a person has to install the app again.
    """

    key: str
    version: int
    access: SecretStr | None
    refresh: SecretStr
    expires_at: AwareDatetime | None
    scopes: frozenset[str]
    seeds: frozenset[str]
    in_doubt_since: AwareDatetime | None = None
    state: Literal["ok", "reconnect"] = "ok"


def digest_of_seed(seed: str) -> str:
    """Digest a refresh token from a block, to recognise a new one."""
    return sha256(seed.encode()).hexdigest()


def read_tokens(tx: Connection, key: str, secret: SecretKey) -> StoredTokens | None:
    """Read and decrypt an installation's tokens."""
    row = tx.execute(select(_tokens).where(_tokens.c.key == key)).mappings().one_or_none()
    if row is None:
        return None
    access = None if row["access"] is None else SecretStr(secret.decrypt(row["access"]))
    return StoredTokens(
        key=key,
        version=row["version"],
        access=access,
        refresh=SecretStr(secret.decrypt(row["refresh"])),
        expires_at=row["expires_at"],
        scopes=frozenset(row["scopes"].split()),
        seeds=frozenset(row["seed_digest"].split()),
        in_doubt_since=row["in_doubt_since"],
        state=row["state"],
    )


def save_tokens(
    tx: Connection, tokens: StoredTokens, secret: SecretKey, *, expected_version: int | None
) -> bool:
    """Save tokens in place of a version (None: the first); False where it is not the latest."""
    access = tokens.access
    values = {
        "version": (expected_version or 0) + 1,
        "access": None if access is None else secret.encrypt(access.get_secret_value()),
        "refresh": secret.encrypt(tokens.refresh.get_secret_value()),
        "expires_at": tokens.expires_at,
        "scopes": " ".join(sorted(tokens.scopes)),
        "seed_digest": " ".join(sorted(tokens.seeds)),
        "in_doubt_since": tokens.in_doubt_since,
        "state": tokens.state,
    }
    if expected_version is None:
        if tx.scalar(select(_tokens.c.key).where(_tokens.c.key == tokens.key)) is not None:
            return False
        tx.execute(insert(_tokens).values(key=tokens.key, **values))
        return True
    swapped = tx.execute(
        update(_tokens)
        .where(_tokens.c.key == tokens.key, _tokens.c.version == expected_version)
        .values(**values)
    )
    return swapped.rowcount == 1


def mark_in_doubt(tx: Connection, key: str, version: int, since: datetime | None) -> bool:
    """Record that a refresh was sent, or (None) that it was not; False on another version."""
    return _mark(tx, key, version, in_doubt_since=since)


def mark_reconnect(tx: Connection, key: str, version: int) -> bool:
    """Record that GHL no longer accepts the refresh token."""
    return _mark(tx, key, version, state="reconnect", in_doubt_since=None)


def ended_families(tx: Connection, owner: str) -> list[str]:
    """List an owner's tokens that need a reconnect, as `key:version`.

    Their keys end with the owner, for example a location's id.
    """
    rows = tx.execute(
        select(_tokens.c.key, _tokens.c.version)
        .where(_tokens.c.key.endswith(f":{owner}", autoescape=True))
        .where(_tokens.c.state == "reconnect")
        .order_by(_tokens.c.key)
    )
    return [f"{row.key}:{row.version}" for row in rows]


def _mark(tx: Connection, key: str, version: int, **values: object) -> bool:
    marked = tx.execute(
        update(_tokens).where(_tokens.c.key == key, _tokens.c.version == version).values(**values)
    )
    return marked.rowcount == 1

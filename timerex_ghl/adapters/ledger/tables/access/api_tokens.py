"""Tokens of our HTTP API: shown once, stored as digests, each for one connection."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from pydantic import AwareDatetime, SecretStr
from sqlalchemy import Boolean, Column, Connection, Table, Text, insert, select, update

from timerex_ghl.adapters.ledger.db.schema import UtcTime, metadata
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.domain.shared.models import ConnectionName, Record
from timerex_ghl.domain.shared.record_ref import RecordRef

PREFIX = "tgk_"
"""Prefix of every token, so that people and secret scanners recognise it."""

RECORD_USE_EVERY = timedelta(minutes=1)

_api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("connection", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("may_write", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("revoked_at", UtcTime),
)


class ApiToken(Record):
    """The stored data of a token, without the token itself.

    Attributes:
        name: Given by the person who created it.
        used_at: Last use, to the minute; None: never.
        revoked_at: None while it is valid.
    """

    id: str
    connection: ConnectionName
    name: str
    may_write: bool
    created_at: AwareDatetime
    used_at: AwareDatetime | None
    revoked_at: AwareDatetime | None

    def in_words(self) -> str:
        """Return one line for a list."""
        rights = "read and write" if self.may_write else "read"
        state = f"revoked {self.revoked_at:%Y-%m-%d}" if self.revoked_at else "good"
        used = f"used {self.used_at:%Y-%m-%d %H:%M} UTC" if self.used_at else "never used"
        return f"{self.id}  {self.connection}  {rights}  {state}  {used}  {self.name}".rstrip()


def create_token(
    tx: Connection,
    connection: ConnectionName,
    *,
    name: str,
    may_write: bool,
    by: str,
    now: datetime,
) -> tuple[str, SecretStr]:
    """Create a token of 256 random bits; return its id and, only now, the token."""
    token = SecretStr(PREFIX + secrets.token_urlsafe(32))
    token_id = f"t_{secrets.token_hex(6)}"
    tx.execute(
        insert(_api_tokens).values(
            id=token_id,
            connection=connection,
            name=name,
            digest=_digest_of(token.get_secret_value()),
            may_write=may_write,
            created_at=now,
        )
    )
    _account(tx, connection, "token created", token_id, {"by": by, "write": may_write}, now)
    return token_id, token


def find_token(tx: Connection, token: str) -> ApiToken | None:
    """Find a valid token.

    It is looked up by its digest, so the time this takes reveals nothing about any token.
    """
    statement = select(_api_tokens).where(
        _api_tokens.c.digest == _digest_of(token), _api_tokens.c.revoked_at.is_(None)
    )
    row = tx.execute(statement).one_or_none()
    return None if row is None else _token_of(row)


def list_tokens(tx: Connection, connection: ConnectionName | None = None) -> list[ApiToken]:
    """List tokens, including revoked ones, by time of creation."""
    statement = select(_api_tokens).order_by(_api_tokens.c.created_at, _api_tokens.c.id)
    if connection is not None:
        statement = statement.where(_api_tokens.c.connection == connection)
    return [_token_of(row) for row in tx.execute(statement)]


def revoke_token(tx: Connection, token_id: str, *, by: str, now: datetime) -> bool | None:
    """Revoke a token. False: it was revoked before. None: there is no such token."""
    row = tx.execute(select(_api_tokens).where(_api_tokens.c.id == token_id)).one_or_none()
    if row is None:
        return None
    if row.revoked_at is not None:
        return False
    tx.execute(update(_api_tokens).where(_api_tokens.c.id == token_id).values(revoked_at=now))
    _account(tx, row.connection, "token revoked", token_id, {"by": by}, now)
    return True


def is_use_to_be_recorded(token: ApiToken, now: datetime) -> bool:
    """Return whether the recorded use is old enough to update: not every request writes."""
    return token.used_at is None or now - token.used_at >= RECORD_USE_EVERY


def note_use(tx: Connection, token_id: str, now: datetime) -> None:
    """Record the time of a token's last use."""
    tx.execute(update(_api_tokens).where(_api_tokens.c.id == token_id).values(used_at=now))


def _digest_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _token_of(row: object) -> ApiToken:
    values = {name: getattr(row, name) for name in ApiToken.model_fields}
    return ApiToken.model_validate(values)


def _account(
    tx: Connection,
    connection: ConnectionName,
    what: str,
    token_id: str,
    detail: dict[str, audit.Scalar],
    now: datetime,
) -> None:
    audit.record(
        tx,
        connection=connection,
        what=what,
        subject=RecordRef("token", token_id),
        run_id=None,
        detail=detail,
        now=now,
    )

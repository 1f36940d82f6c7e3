"""What every edit by people has in common: who edits, what is refused, and what is told of it.

The row, the event that carries its change on and the audit entry are one unit of work, whoever
edits: the API, an import.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import audit, inbox
from timerex_ghl.sync.errors import SkippableError
from timerex_ghl.sync.models import ConnectionName
from timerex_ghl.sync.settings import ConnectionSettings

Kind = Literal["contact", "booking"]


class UnknownRecordError(SkippableError):
    """There is no such record, or no longer."""


class OtherVersionError(SkippableError):
    """The record is at another version than the one the edit was meant for.

    Attributes:
        version: The one it is at.
    """

    def __init__(self, message: str, *, version: int) -> None:
        super().__init__(message)
        self.version = version


class Editor(NamedTuple):
    """Whose records are edited, and by whom: `token:<id>`, `import:<login name>`."""

    settings: ConnectionSettings
    by: str

    @property
    def connection(self) -> ConnectionName:
        """Name the connection."""
        return self.settings.name


def check_version(kind: Kind, record_id: str, version: int, wanted: Collection[int] | None) -> None:
    """Refuse an edit that was meant for another version.

    Raises:
        OtherVersionError: It was.
    """
    if wanted is not None and version not in wanted:
        raise OtherVersionError(
            f"{kind} {record_id} is at version {version}: read it again, then repeat the edit",
            version=version,
        )


def tell(
    tx: Connection, editor: Editor, kind: Kind, record_id: str, version: int, now: datetime
) -> None:
    """Put the event that carries a change on into the inbox."""
    record = f"{kind}:{record_id}"
    inbox.store_event(
        tx,
        connection=editor.connection,
        source="workspace",
        type=f"{kind} changed",
        dedupe_key=f"{record}:{version}",
        body=json.dumps({"version": version}),
        now=now,
        record=record,
    )


def note(  # noqa: PLR0913  one argument a fact
    tx: Connection,
    editor: Editor,
    kind: Kind,
    did: Literal["added", "changed", "deleted"],
    record_id: str,
    version: int,
    fields: Iterable[str],
    now: datetime,
) -> None:
    """Say in the audit who did what, by field names only."""
    audit.record(
        tx,
        connection=editor.connection,
        what=f"{kind} {did}",
        subject=f"{kind}:{record_id}",
        run_id=None,
        detail={"by": editor.by, "fields": ", ".join(sorted(fields)), "version": version},
        now=now,
    )

"""What every edit by people has in common: who edits, what is refused, and what is told of it.

The row, the event that carries its change on and the audit entry are one unit of work, whoever
edits: the API, an import, the command line.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger import audit, inbox
from timerex_ghl.domain.errors import SkippableError
from timerex_ghl.domain.models import ConnectionName
from timerex_ghl.domain.settings import ConnectionSettings

Kind = Literal["contact", "booking", "note", "task"]


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
    """Whose records are edited, and by whom: `token:<id>`, `import:<login>`, `cli:<login>`."""

    settings: ConnectionSettings
    by: str

    @property
    def connection(self) -> ConnectionName:
        """Name the connection."""
        return self.settings.name


class Edit(NamedTuple):
    """One edit of one record.

    Attributes:
        version: The record's, afterwards.
        fields: Names of what changed; never a value.
    """

    kind: Kind
    did: Literal["added", "changed", "deleted"]
    record_id: str
    version: int
    fields: Iterable[str] = ()


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


def keep_track(
    tx: Connection, editor: Editor, edit: Edit, now: datetime, *, travels: bool = True
) -> None:
    """Say in the audit who did what, and put the event that carries it on into the inbox.

    Args:
        tx: The open connection, on which the row was written.
        editor: Who edits.
        edit: What was done.
        now: The time.
        travels: There is something to be carried to the CRM.
    """
    record = f"{edit.kind}:{edit.record_id}"
    fields = ", ".join(sorted(edit.fields))
    audit.record(
        tx,
        connection=editor.connection,
        what=f"{edit.kind} {edit.did}",
        subject=record,
        run_id=None,
        detail={"by": editor.by, "fields": fields, "version": edit.version},
        now=now,
    )
    if travels:
        inbox.store_event(
            tx,
            connection=editor.connection,
            source="workspace",
            type=f"{edit.kind} changed",
            dedupe_key=f"{record}:{edit.version}",
            body=json.dumps({"version": edit.version}),
            now=now,
            record=record,
        )

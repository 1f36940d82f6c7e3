"""What all edits of the workspace share: the editor, the version check, the event and the audit.

The row, the inbox event that syncs its change and the audit entry are one unit of work, for the
API, an import and the command line alike.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.tables.inbox import inbox
from timerex_ghl.adapters.ledger.tables.operations import audit
from timerex_ghl.domain.connections.settings import ConnectionSettings
from timerex_ghl.domain.shared.errors import SkippableError
from timerex_ghl.domain.shared.models import ConnectionName
from timerex_ghl.domain.shared.record_ref import RecordRef

Kind = Literal["contact", "booking", "note", "task"]


class UnknownRecordError(SkippableError):
    """The record does not exist, or is deleted."""


class OtherVersionError(SkippableError):
    """The record is at another version than the edit expects.

    Attributes:
        version: The record's current version.
    """

    def __init__(self, message: str, *, version: int) -> None:
        super().__init__(message)
        self.version = version


class Editor(NamedTuple):
    """The connection edited, and the editor: `token:<id>`, `import:<login>`, `cli:<login>`."""

    settings: ConnectionSettings
    by: str

    @property
    def connection(self) -> ConnectionName:
        """Return the connection's name."""
        return self.settings.name


class Edit(NamedTuple):
    """One edit of one record.

    Attributes:
        version: The record's version after the edit.
        fields: Names of the changed fields; never a value.
    """

    kind: Kind
    did: Literal["added", "changed", "deleted"]
    record_id: str
    version: int
    fields: Iterable[str] = ()


def check_version(kind: Kind, record_id: str, version: int, wanted: Collection[int] | None) -> None:
    """Refuse an edit that expects another version.

    Raises:
        OtherVersionError: The version is not a wanted one.
    """
    if wanted is not None and version not in wanted:
        raise OtherVersionError(
            f"{kind} {record_id} is at version {version}: read it again, then repeat the edit",
            version=version,
        )


def keep_track(
    tx: Connection, editor: Editor, edit: Edit, now: datetime, *, travels: bool = True
) -> None:
    """Record an edit in the audit, and store the inbox event that syncs it.

    Args:
        tx: The transaction in which the row was written.
        editor: Who edits.
        edit: The edit.
        now: The time.
        travels: Whether the edit is synced to GHL.
    """
    record = RecordRef(edit.kind, edit.record_id)
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
            origin="edit",
            type=f"{edit.kind} changed",
            dedupe_key=f"{record}:{edit.version}",
            body=json.dumps({"version": edit.version}),
            now=now,
            record=record,
        )

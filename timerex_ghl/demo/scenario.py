"""The demo's data: invented people, their bookings, and edits on both sides.

Everything goes through the interfaces a person would use.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.contacts import workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import published
from timerex_ghl.demo.checker import Truth
from timerex_ghl.demo.prefect_api import RunFailedError
from timerex_ghl.demo.sandbox_api import SandboxApi
from timerex_ghl.domain.contacts.identity import Keys, keys_of
from timerex_ghl.domain.shared.actions import WorkspaceChange
from timerex_ghl.domain.shared.models import ConnectionName, Contact, FieldName, Value
from timerex_ghl.workspace.contact_edits import change_contact
from timerex_ghl.workspace.edits import Editor

REGION = "JP"

WORKSPACE_PEOPLE = (
    ("Kana", "Mori", "kana.mori@aoba.example", "090-1234-5601", "Aoba Design"),
    ("Riku", "Sato", "riku.sato@hinode.example", "090-1234-5602", "Hinode Foods"),
    ("Yui", "Ito", "yui.ito@minato.example", None, "Minato Books"),
    ("Sora", "Abe", "sora.abe@kawa.example", "090-1234-5604", None),
)
"""First name, last name, e-mail, phone, company: as typed into the workspace."""

CRM_PEOPLE = (
    ("Riku", "Sato", "Riku.Sato@Hinode.example", "+819012345602"),  # known to both sides
    ("Mei", "Kato", "mei.kato@umi.example", "+819012345611"),
    ("Jun", "Ueda", "jun.ueda@yama.example", None),
    ("Emma", "Brown", "emma.brown@harbor.example", "+819012345613"),
)

GUESTS = (
    ("Noa Hart", "noa.hart@willow.example"),  # stays booked
    ("森 香奈", "kana.mori@aoba.example"),  # known to the workspace; cancels
    ("Mei Kato", "mei.kato@umi.example"),  # known to the CRM; moves
    ("Leo Stone", "leo.stone@maple.example"),  # books and cancels
)

TRUTHS = (
    Truth("noa.hart@willow.example", "Booked"),
    Truth("kana.mori@aoba.example", "Cancelled"),
    Truth("mei.kato@umi.example", "Moved from"),
    Truth("leo.stone@maple.example", "Cancelled"),
)
"""What each guest's single note must say in the end."""

CRM_EDITS: dict[str, dict[str, Any]] = {
    "riku.sato@hinode.example": {"city": "Osaka"},
    "jun.ueda@yama.example": {"phone": "+819012345612"},
    "noa.hart@willow.example": {"tags": ["vip", "timerex booked"]},
}

WORKSPACE_EDITS = {
    "kana.mori@aoba.example": WorkspaceChange(
        values={FieldName("phone"): "090-1234-5699", FieldName("city"): "Kyoto"}
    ),
    "sora.abe@kawa.example": WorkspaceChange(
        values={FieldName("last_name"): "Abe-Lind"}, tags_added=frozenset({"newsletter"})
    ),
    "riku.sato@hinode.example": WorkspaceChange(
        values={FieldName("website"): "https://hinode.example"}
    ),
}
"""Edits by e-mail. One person is edited on both sides, in different fields."""


@dataclass
class DemoStory:
    """The people and bookings of one demo."""

    sandbox: SandboxApi
    ledger: Ledger
    connection: ConnectionName

    async def make_people(self) -> None:
        """Add people to the workspace and to GHL; one of them is in both."""
        for first, last, email, phone in CRM_PEOPLE:
            body = {"firstName": first, "lastName": last, "email": email, "phone": phone}
            await self.sandbox.send("POST", "/ghl/contacts", body)
        for first, last, email, phone, company in WORKSPACE_PEOPLE:
            values: dict[FieldName, Value] = {
                FieldName("first_name"): first,
                FieldName("last_name"): last,
                FieldName("email"): email,
                FieldName("phone"): phone,
                FieldName("company"): company,
            }
            contact = Contact(values=values, tags=frozenset({"customer"}))
            keys = keys_of(contact, REGION)
            now = datetime.now(UTC)
            await self.ledger.write(
                workspace_contacts.add_contact, self.connection, contact, keys, now
            )

    async def book(self) -> int:
        """Book, cancel and reschedule as guests; return the number of webhooks sent."""
        day = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0)
        ids: list[str] = []
        for number, (name, email) in enumerate(GUESTS):
            starts_at = day + timedelta(days=7 + number)
            ids.append(
                await self.sandbox.book(
                    guest_name=name,
                    guest_email=email,
                    starts_at=starts_at.isoformat(),
                    duration_min=30,
                )
            )
        await self.sandbox.cancel(ids[1], "Something came up")
        await self.sandbox.move(ids[2], (day + timedelta(days=14)).isoformat())
        await self.sandbox.cancel(ids[3], "")
        return len(ids) + 4

    async def edit_on_both(self) -> tuple[int, int]:
        """Edit contacts in the CRM and in the workspace; return the number of edits in each."""
        for email, changes in CRM_EDITS.items():
            found = [one for one in await self.sandbox.contacts() if _mail(one) == email]
            await self.sandbox.send("PATCH", f"/ghl/contacts/{found[0]['id']}", changes)
        version = await self.ledger.read(published.current, self.connection)
        if version is None:
            raise RunFailedError("the connection is not published")
        editor = Editor(version.settings, "demo")
        for email, change in WORKSPACE_EDITS.items():
            await self.ledger.write(_edit, editor, email, change)
        return len(CRM_EDITS), len(WORKSPACE_EDITS)


def _mail(contact: dict[str, Any]) -> str:
    return (contact.get("email") or "").lower()


def _edit(tx: Connection, editor: Editor, email: str, change: WorkspaceChange) -> None:
    """Change a workspace contact, found by its e-mail, as the HTTP API does."""
    rows, _ = workspace_contacts.find_contacts(tx, editor.connection, Keys(email, None))
    change_contact(tx, editor, rows[0].id, change, datetime.now(UTC), versions=None)

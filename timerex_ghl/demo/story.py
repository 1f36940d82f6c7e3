"""The demo's story: invented people, their bookings, and edits on both sides.

What a person would do by hand is done here, through the doors a person would use.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from timerex_ghl.adapters.ledger import workspace
from timerex_ghl.adapters.ledger.core import Ledger
from timerex_ghl.demo.sandbox_api import SandboxApi
from timerex_ghl.sync.actions import WorkspaceChange
from timerex_ghl.sync.identity import keys_of
from timerex_ghl.sync.models import ConnectionName, Contact, ContactId, FieldName, Value

REGION = "JP"

WORKSPACE_PEOPLE = (
    ("Kana", "Mori", "kana.mori@aoba.example", "090-1234-5601", "Aoba Design"),
    ("Riku", "Sato", "riku.sato@hinode.example", "090-1234-5602", "Hinode Foods"),
    ("Yui", "Ito", "yui.ito@minato.example", None, "Minato Books"),
    ("Sora", "Abe", "sora.abe@kawa.example", "090-1234-5604", None),
)
"""First name, last name, e-mail, phone, company: as somebody typed them into the workspace."""

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


@dataclass
class Story:
    """The people and bookings of one demo."""

    sandbox: SandboxApi
    ledger: Ledger
    connection: ConnectionName
    people: dict[str, ContactId] = field(default_factory=dict[str, ContactId])

    async def make_people(self) -> None:
        """Put people on both sides; one of them stands on both already."""
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
            row = await self.ledger.write(
                workspace.add_contact,
                self.connection,
                contact,
                keys_of(contact, REGION),
                datetime.now(UTC),
            )
            self.people[email] = row.id

    async def book(self) -> int:
        """Let guests book, cancel and move; tell how many webhooks that makes."""
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

    async def edit_both_sides(self) -> int:
        """Edit contacts, as people at the CRM and in the workspace would; tell how many."""
        in_crm = {contact.get("email", "").lower(): contact for contact in await self.sandbox.contacts()}
        await self._edit_crm(in_crm["riku.sato@hinode.example"]["id"], city="Osaka")
        await self._edit_crm(in_crm["jun.ueda@yama.example"]["id"], phone="+819012345612")
        await self._edit_crm(in_crm["noa.hart@willow.example"]["id"], tags=["vip", "timerex booked"])
        await self._edit_workspace("kana.mori@aoba.example", WorkspaceChange(
            values={FieldName("phone"): "090-1234-5699", FieldName("city"): "Kyoto"},
        ))
        await self._edit_workspace("sora.abe@kawa.example", WorkspaceChange(
            values={FieldName("last_name"): "Abe-Lind"}, tags_added=frozenset({"newsletter"}),
        ))
        await self._edit_workspace("riku.sato@hinode.example", WorkspaceChange(
            values={FieldName("website"): "https://hinode.example"},
        ))
        return 6

    async def _edit_crm(self, contact_id: str, **changes: object) -> None:
        await self.sandbox.send("PATCH", f"/ghl/contacts/{contact_id}", changes)

    async def _edit_workspace(self, email: str, change: WorkspaceChange) -> None:
        await self.ledger.write(edit_contact, self.connection, self.people[email], change)

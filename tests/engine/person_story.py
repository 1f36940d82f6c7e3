"""The execution of a story about people, step by step."""

from dataclasses import dataclass, field

from tests.deliveries import cancelled, confirmed
from tests.engine.activity_story import CITIES
from tests.engine.person_model import PersonModel, Reason, bookings_with_appointment
from tests.engine.person_steps import (
    EDITED,
    FAULTS,
    MOST,
    OFFICE,
    PAUSES,
    PEOPLE,
    PHONES,
    PersonStep,
    StoryBooking,
)
from tests.engine.person_world import (
    CrmContact,
    PersonWorld,
    bookings_pending,
    emails_of,
    value_here,
    value_in_crm,
)
from timerex_ghl.domain.bookings.note_text import booking_of
from timerex_ghl.domain.shared.models import ContactId, Value
from timerex_ghl.engine.contacts.pull_contacts import Scope
from timerex_ghl.engine.writes.recovery import LOOK_AGAIN


@dataclass
class PersonStory:
    """The state of a run of steps.

    Attributes:
        order: All records of both sides, in the order of their first appearance.
        removed: Contacts deleted in GHL that can be restored.
        shown: The first booking of each chain that ever had a note or appointment.
    """

    people: PersonWorld
    model: PersonModel = field(default_factory=PersonModel)
    bookings: list[StoryBooking] = field(default_factory=list[StoryBooking])
    order: dict[str, None] = field(default_factory=dict[str, None])
    removed: list[str] = field(default_factory=list[str])
    shown: set[str] = field(default_factory=set[str])
    serial: int = 0

    async def play(self, step: PersonStep) -> None:
        """Run a step, and check what it has changed."""
        self.serial += 1
        self.model.step += 1
        await self.people.advance(LOOK_AGAIN)
        match step.what:
            case "book" | "cancel" | "move":
                self._in_timerex(step)
            case "edit":
                await self._edit(step, EDITED[step.number % len(EDITED)])
            case "half":
                await self._half(step)
            case "withdraw":
                await self._withdraw(step)
            case "create" | "delete":
                await (self._here if step.side == "here" else self._in_crm)(step)
            case "restore" | "merge" | "alias":
                await self._in_crm(step)
            case _:
                await self._sync(step)
        await self.observe()

    async def observe(self, *, is_synced: bool = False) -> None:
        """Check both sides as they are now."""
        scene = await self.people.scene()
        new = sorted(
            scene.here, key=lambda one: str(sorted(scene.here[one].contact.values.items()))
        )
        self.order |= dict.fromkeys([*new, *scene.crm])
        written = (one["bodyText"] for each in scene.crm.values() for one in each["notes"])
        self.shown |= {root_id for text in written if (root_id := booking_of(text))}
        linked = await self.people.ledger.read(bookings_with_appointment)
        self.shown |= {one.root_id for one in self.bookings if one.id in linked}
        self.model.observe(scene, is_synced=is_synced)

    def _in_timerex(self, step: PersonStep) -> None:
        if step.what == "book":
            self._book(step)
            return
        open_ones = [one for one in self.bookings if one.is_open]
        if not open_ones:
            return
        old = open_ones[step.number % len(open_ones)]
        old.is_open = False
        if step.what == "cancel":
            self.people.outbox += [old.body(cancelled)]
            return
        new = StoryBooking(f"b{self.serial}", old.root_id, old.email, old.phone, self.serial)
        self._confirm(new)
        halves = [
            old.body(cancelled, is_changed=True, new_evnet_id=new.id),
            new.body(confirmed, is_changed=True, old_event_id=old.id),
        ]
        variants = (halves, halves[::-1], halves[:1], halves[1:])
        self.people.outbox += variants[(step.number // 4) % len(variants)]

    def _book(self, step: PersonStep) -> None:
        name, id_ = PEOPLE[step.who], f"b{self.serial}"
        own, phone = f"{name}@hinode.example", PHONES[step.who]
        email, phone = (
            (own, None),
            (f"{name}@home.example", None),
            (own, OFFICE),
            (None, OFFICE if step.number >= MOST // 2 else phone),
        )[step.number % 4]
        booking = StoryBooking(id_, id_, email, phone, self.serial)
        self._confirm(booking)
        self.people.outbox += [booking.body(confirmed)]

    def _confirm(self, booking: StoryBooking) -> None:
        self.bookings.append(booking)
        self.model.offered |= {key for key in (booking.email, booking.phone) if key}
        self.model.reasons.append(Reason(self.model.step, booking.keys, booking.id))

    async def _edit(self, step: PersonStep, name: str) -> bool:
        """Change a field or a tag of a contact on one side; return whether that was possible."""
        row, contact = self._row(step), self._contact(step)
        value = self._value(step, name)
        if step.side == "here" and row is not None:
            before = value_here(self.model.scene.here[row], name)
            if value == before or not await self.people.edit(row, **{name: value}):
                return False
            self.model.enter(row, name, value)
        elif step.side == "ghl" and contact is not None:
            if value == value_in_crm(contact, name):
                return False
            await self.people.edit_crm(contact, name, value)
            self.model.enter(contact["id"], name, value)
        else:
            return False
        return True

    def _value(self, step: PersonStep, name: str) -> Value:
        variant = step.number // len(EDITED)
        match name:
            case "city":
                return (*CITIES, f"City {self.serial}")[(step.number // 2) % (len(CITIES) + 1)]
            case "phone":
                return (*PHONES, OFFICE)[variant + (step.side == "ghl")]
            case "email":
                return f"new{self.serial}@hinode.example"
            case _:
                return None if variant == 1 else "yes"

    async def _half(self, step: PersonStep) -> None:
        """Let a plan of two writes be done by half, then perhaps edit the contact again."""
        row = self._row(step)
        if row is None:
            return
        before = value_here(self.model.scene.here[row], "vip")
        here = step._replace(side="here")
        city, tag = f"Half {self.serial}", None if before else "yes"
        await self.people.edit(row, city=city, vip=tag)
        self.model.enter(row, "city", city)
        self.model.enter(row, "vip", tag)
        operation = ("remove-tags" if before else "add-tags", "update-contact")[step.number % 2]
        await self._fail(operation, step.number // 2)
        await self.people.try_once()
        await self.observe()
        self.model.step += 1
        if step.number >= MOST // 3:
            await self._edit(step if step.number % 3 else here, "city")

    async def _withdraw(self, step: PersonStep) -> None:
        """Let somebody book whom GHL does not take yet, and delete one who is not in GHL."""
        self._book(step)
        await self.people.deliver()
        await self.people.fail("create-contact", "status")
        await self.people.try_once()
        await self.observe()
        self.model.step += 1
        scene = self.model.scene
        unsent = [one for one in self.order if one in scene.here and one not in scene.links]
        if unsent:
            await self._delete_here(ContactId(unsent[-1]))

    async def _delete_here(self, contact_id: ContactId) -> None:
        pending = await self.people.ledger.read(bookings_pending)
        pending |= {body["event"]["id"] for body in self.people.outbox}
        self.model.delete_here(contact_id, pending)
        await self.people.delete(contact_id)

    async def _fail(self, operation: str, number: int) -> None:
        kind = ("status", "drop_after_commit")[number % 2]
        await self.people.fail(operation, kind)

    async def _here(self, step: PersonStep) -> None:
        if step.what == "create":
            values = self._new(step, "here")
            contact_id = await self.people.add(values)
            if contact_id is not None:
                self._created(contact_id, values)
        elif row := self._row(step):
            await self._delete_here(row)

    async def _in_crm(self, step: PersonStep) -> None:
        contacts = self._contacts(step)
        match step.what:
            case "create":
                await self._create_in_crm(step)
            case "restore" if self.removed:
                one = self.removed.pop(step.number % len(self.removed))
                await self.people.world.ask("POST", f"/ghl/contacts/{one}/restore")
                self.model.reasons.append(Reason(self.model.step, self.model.addresses[one]))
            case "delete" if contacts:
                self.model.delete_in_crm(contacts[0]["id"])
                self.removed.append(contacts[0]["id"])
                await self.people.world.ask("DELETE", f"/ghl/contacts/{contacts[0]['id']}")
            case "merge" if len(contacts) > 1:
                loser, master = (one["id"] for one in contacts[:2])
                self.model.merge(loser, master)
                path = f"/ghl/contacts/{loser}/merge"
                await self.people.world.ask("POST", path, {"into": master})
            case "alias" if contacts:
                await self._add_alias(step, contacts[0])
            case _:
                pass

    async def _create_in_crm(self, step: PersonStep) -> None:
        values = self._new(step, "ghl")
        taken = {email for one in self.model.scene.crm.values() for email in emails_of(one)}
        if values["email"] not in taken:
            body = {"firstName": "Person", **values}
            made = await self.people.world.ask("POST", "/ghl/contacts", body)
            self._created(made["contact"]["id"], values)

    async def _add_alias(self, step: PersonStep, contact: CrmContact) -> None:
        alias = f"{PEOPLE[step.who]}@home.example"
        if not any(alias in emails_of(one) for one in self.model.scene.crm.values()):
            body = {"additionalEmails": [alias]}
            await self.people.world.ask("PATCH", f"/ghl/contacts/{contact['id']}", body)

    def _new(self, step: PersonStep, where: str) -> dict[str, Value]:
        values: dict[str, Value] = {
            "email": f"{PEOPLE[step.who]}@hinode.example",
            "city": f"{where} {self.serial}" if step.number % 2 else None,
            "phone": (None, PHONES[step.who], OFFICE)[step.number % 3],
        }
        return {name: value for name, value in values.items() if value}

    def _created(self, record_id: str, values: dict[str, Value]) -> None:
        self.model.by_people.add(record_id)
        keys = {str(values[name]) for name in ("email", "phone") if name in values}
        self.model.reasons.append(Reason(self.model.step, keys))
        for name, value in values.items():
            self.model.enter(record_id, name, value)

    async def _sync(self, step: PersonStep) -> None:
        people = self.people
        match step.what:
            case "fault":
                await self._fail(FAULTS[step.number % len(FAULTS)], step.who)
            case "lose":
                await people.lose(step.side, self.bookings)
            case "reverse":
                await people.acts.finish_deliveries()
                raw, taken = people.acts.endpoint.raw, people.acts.taken
                raw[taken:] = reversed(raw[taken:])
                people.outbox.reverse()
            case "process":
                await people.process()
            case "try":
                await people.deliver()
                await people.try_once()
            case "sync":
                scope = Scope.FULL if step.number % 2 else Scope.INCREMENTAL
                await people.world.sync(scope, scan=f"sync {self.serial}")
            case _:
                await people.advance(PAUSES[step.number % len(PAUSES)])

    def _row(self, step: PersonStep) -> ContactId | None:
        """Choose a workspace contact, linked ones first."""
        scene = self.model.scene
        linked = {one: None for one, _ in scene.pairs()}
        found = [ContactId(one) for one in self.order if one in scene.here]
        found.sort(key=lambda one: one not in linked)
        return found[step.who % len(found)] if found else None

    def _contact(self, step: PersonStep) -> CrmContact | None:
        return next(iter(self._contacts(step)), None)

    def _contacts(self, step: PersonStep) -> list[CrmContact]:
        """Return GHL's contacts, in the order of `_row`, from the chosen one on."""
        scene = self.model.scene
        places = {one: number for number, one in enumerate(self.order)}
        rank = {ghl_id: places[contact_id] for contact_id, ghl_id in scene.pairs()}
        found = sorted(scene.crm, key=lambda one: (one not in rank, rank.get(one, places[one])))
        turn = step.who % len(found) if found else 0
        return [scene.crm[one] for one in (*found[turn:], *found[:turn])]

"""What must be true of people on both sides, whatever happened: observed after each step.

Of each field it keeps the last edit on either side and what both last agreed on: an agreement
on anything else is a lost edit. Of each person it keeps who deleted and who created them.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, select

from tests.engine.person_world import (
    FIELDS,
    TAGS,
    CrmContact,
    Scene,
    emails_of,
    phones_of,
    value_here,
    value_in_crm,
)
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.domain.shared.models import ContactId, FieldName, Value
from timerex_ghl.domain.shared.normal import is_empty, is_same

KEYS = ("email", "phone")


class KnownValue(NamedTuple):
    """A value, and the step at which it was entered or agreed on."""

    step: int
    value: Value


class Agreement(NamedTuple):
    """A value that both sides had, and the GHL contact of that time."""

    step: int
    value: Value
    ghl_id: str


class Tombstone(NamedTuple):
    """A contact that was deleted in the workspace.

    Attributes:
        keys: The e-mails and phones of it and of its GHL contact.
        pending: The bookings whose events had no final state then.
    """

    contact_id: ContactId
    ghl_id: str | None
    keys: Collection[str]
    step: int
    pending: Collection[str]


class Reason(NamedTuple):
    """A booking that was received, or a contact that a person created: whoever it is may exist."""

    step: int
    keys: Collection[str]
    booking_id: str | None = None


def is_equal(name: str, one: Value, other: Value) -> bool:
    """Return whether two values are equal but for spelling."""
    return is_same(FieldName(name), one, other, "JP")


@dataclass
class PersonModel:
    """The history of all people.

    Attributes:
        edits: The last value of a field of a record of either side.
        agreed: The last value of a field that both sides had.
        loose: Fields that a merge in GHL changed: any value of them is right once.
        offered: E-mails and phones in the forms of bookings, which fill empty fields.
        addresses: All e-mails and phones that a GHL contact ever had, by its id.
        has_moved: A contact was deleted or merged in GHL, and its bookings may be another's now.
        gone: When the GHL contact of a workspace contact was deleted in GHL.
    """

    step: int = 0
    scene: Scene = field(default_factory=lambda: Scene({}, {}, {}, set()))
    edits: dict[tuple[str, str], KnownValue] = field(
        default_factory=dict[tuple[str, str], KnownValue]
    )
    agreed: dict[tuple[str, str], Agreement] = field(
        default_factory=dict[tuple[str, str], Agreement]
    )
    loose: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    offered: set[str] = field(default_factory=set[str])
    addresses: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    by_people: set[str] = field(default_factory=set[str])
    tombstones: list[Tombstone] = field(default_factory=list[Tombstone])
    reasons: list[Reason] = field(default_factory=list[Reason])
    has_moved: bool = False
    gone: dict[ContactId, int] = field(default_factory=dict[ContactId, int])
    ever_in_crm: dict[str, int] = field(default_factory=dict[str, int])

    def enter(self, record_id: str, name: str, value: Value) -> None:
        """Keep what a person entered."""
        self.edits[record_id, name] = KnownValue(self.step, value)

    def loosen(self, *record_ids: str) -> None:
        """Accept any value of these records once."""
        self.loose |= {(each, name) for each in record_ids for name in (*FIELDS, *TAGS)}

    def merge(self, loser: str, master: str) -> None:
        """Keep that a contact of GHL was merged into another."""
        self.has_moved = True
        self.addresses[master] |= self.addresses[loser]
        linked = [one for one, ghl_id in self.scene.links.items() if ghl_id in {loser, master}]
        self.loosen(loser, master, *linked)

    def delete_in_crm(self, ghl_id: str) -> None:
        """Keep that a person deleted a contact in GHL."""
        self.has_moved = True
        for contact_id, linked in self.scene.links.items():
            if linked == ghl_id and contact_id in self.scene.here:
                self.gone[contact_id] = self.step

    def delete_here(self, contact_id: ContactId, pending: Collection[str]) -> None:
        """Keep that a person deleted a contact in the workspace."""
        ghl_id = self.scene.links.get(contact_id)
        keys = {*map(str, filter(None, (value_here(self.scene.here[contact_id], k) for k in KEYS)))}
        keys |= self.addresses[ghl_id] if ghl_id else set()
        self.tombstones.append(Tombstone(contact_id, ghl_id, keys, self.step, pending))

    def observe(self, scene: Scene, *, is_synced: bool = False) -> None:
        """Check what a step has changed. `is_synced`: everything was processed and compared."""
        before, self.scene = self.scene, scene
        for ghl_id, contact in scene.crm.items():
            self.addresses[ghl_id] |= emails_of(contact) | phones_of(contact)
            if ghl_id not in self.ever_in_crm:
                self.ever_in_crm[ghl_id] = self.step
                if ghl_id not in self.by_people:
                    self._check_created(contact, before)
        for contact_id in scene.here.keys() - before.here.keys() - self.by_people:
            self._check_returned(contact_id)
        for contact_id in before.here.keys() - scene.here.keys():
            self._check_lost(contact_id)
        for contact_id, ghl_id in scene.pairs():
            if contact_id in self.gone and ghl_id not in self.by_people:
                assert self.ever_in_crm[ghl_id] <= self.gone[contact_id], "deleted, made again"
            for name in (*FIELDS, *TAGS):
                self._compare(contact_id, ghl_id, name, is_synced=is_synced)

    def _compare(self, contact_id: ContactId, ghl_id: str, name: str, *, is_synced: bool) -> None:
        value = value_here(self.scene.here[contact_id], name)
        if not is_equal(name, value, value_in_crm(self.scene.crm[ghl_id], name)):
            return
        if (contact_id, name) in self.scene.unknown:  # GHL has it, and we do not know that
            self.edits[ghl_id, name] = KnownValue(self.step, value)
        else:
            self._agree(contact_id, ghl_id, name, value, is_synced=is_synced)

    def may_be_asked(self, contact_id: ContactId, ghl_id: str, name: str) -> bool:
        """Return whether both sides may have changed a field since they agreed."""
        mine, theirs = self._changes(contact_id, ghl_id, name)
        is_loose = not self.loose.isdisjoint({(contact_id, name), (ghl_id, name)})
        is_filled = name in KEYS and self._was_empty(contact_id, name)
        return is_loose or is_filled or (mine is not None and theirs is not None)

    def _check_created(self, contact: CrmContact, before: Scene) -> None:
        """Check that we created nobody who was deleted, and no second contact with an e-mail."""
        linked = {one for one, ghl_id in self.scene.links.items() if ghl_id == contact["id"]}
        dead = linked & {one.contact_id for one in self.tombstones if one.step < self.step}
        assert not dead, f"we created {dead} in GHL, who was deleted here"
        emails = emails_of(contact)
        for other in self.scene.crm.values():
            if other["id"] != contact["id"] and other["id"] in before.crm:
                shared = emails & emails_of(other) & emails_of(before.crm[other["id"]])
                assert not shared, f"we created a second contact with {shared}"

    def _check_returned(self, contact_id: ContactId) -> None:
        """Check that nobody who was deleted came back without a reason."""
        row = self.scene.here[contact_id]
        ghl_id = self.scene.links.get(contact_id)
        keys = {*map(str, filter(None, (value_here(row, name) for name in KEYS)))}
        keys |= self.addresses[ghl_id] if ghl_id else set()
        for dead in self.tombstones:
            same = dead.ghl_id == ghl_id if ghl_id else not keys.isdisjoint(dead.keys)
            is_new = ghl_id in self.by_people and dead.ghl_id != ghl_id
            if not same or is_new:
                continue
            assert any(
                not keys.isdisjoint(one.keys)
                and (one.step >= dead.step or one.booking_id in dead.pending)
                for one in self.reasons
            ), f"contact {contact_id} came back without a booking"

    def _check_lost(self, contact_id: ContactId) -> None:
        is_deleted = contact_id in {dead.contact_id for dead in self.tombstones}
        ghl_id = self.scene.links.get(contact_id)
        assert is_deleted or ghl_id is None or ghl_id not in self.scene.crm, (
            f"contact {contact_id} is lost"
        )

    def _agree(
        self, contact_id: ContactId, ghl_id: str, name: str, value: Value, *, is_synced: bool
    ) -> None:
        """Check that both sides agree on the last edit of a field."""
        keys = {(contact_id, name), (ghl_id, name)}
        changes = [one.value for one in self._changes(contact_id, ghl_id, name) if one]
        last = self.agreed.get((contact_id, name))
        right = changes or ([last.value] if last else [])
        is_free = not right or not self.loose.isdisjoint(keys)
        if name in KEYS and self._was_empty(contact_id, name):
            is_other = last is not None and last.ghl_id != ghl_id
            is_free |= is_other or value in self.offered or is_empty(value)
        assert is_free or any(is_equal(name, value, one) for one in right), (
            f"{name} of {contact_id} is {value}, but was last changed to {right}"
        )
        is_loose = not self.loose.isdisjoint(keys)
        self.edits |= dict.fromkeys(keys, KnownValue(self.step, value))
        if (is_loose or len(changes) > 1) and not is_synced:
            return  # people made both equal, and nothing has compared them yet, perhaps
        self.loose -= keys
        self.agreed[contact_id, name] = Agreement(self.step, value, ghl_id)

    def _changes(
        self, contact_id: ContactId, ghl_id: str, name: str
    ) -> tuple[KnownValue | None, KnownValue | None]:
        """Return the edits of a field since both sides agreed: here, and in GHL.

        What another GHL contact had before the workspace contact was linked to it is one, too.
        """
        last = self.agreed.get((contact_id, name))
        since = -1 if last is None else last.step
        mine, theirs = (self.edits.get((each, name)) for each in (contact_id, ghl_id))
        is_other = last is not None and last.ghl_id != ghl_id
        return (
            mine if mine and mine.step > since else None,
            theirs if theirs and (is_other or theirs.step > since) else None,
        )

    def _was_empty(self, contact_id: ContactId, name: str) -> bool:
        last = self.agreed.get((contact_id, name))
        return last is None or is_empty(last.value)


def bookings_with_appointment(tx: Connection) -> set[str]:
    """List the bookings that have an appointment in GHL."""
    table = links.links
    return {*tx.scalars(select(table.c.local_id).where(table.c.kind == "appointment"))}

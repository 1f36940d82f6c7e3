"""Actions of CRM users without an API operation: merge two contacts, restore one.

Source: the vendor's help pages on merging and restoring contacts. Not known, and chosen here: which
events are sent; a merged contact cannot be restored.
"""

from timerex_ghl.sandbox.ghl.contacts.contact_store import SandboxContact
from timerex_ghl.sandbox.ghl.delivery.ghl_event_bodies import emit_contact_event
from timerex_ghl.sandbox.ghl.ghl_state import Ghl


def merge(ghl: Ghl, loser: SandboxContact, master: SandboxContact) -> None:
    """Merge one contact into another; fields set in the master stay."""
    for contact in (loser, master):
        ghl.past.keep(contact.id, contact)
    _join_keys(loser, master)
    master.fields = {**loser.fields, **master.fields}
    master.custom = {**loser.custom, **master.custom}
    master.tags = [*dict.fromkeys([*master.tags, *loser.tags])]
    master.business_id = master.business_id or loser.business_id
    _move_parts(ghl, loser, master)
    ghl.contacts.delete(loser.id)
    del ghl.contacts.deleted[loser.id]
    ghl.contacts.save(master)
    emit_contact_event(ghl, loser, "ContactDelete")
    emit_contact_event(ghl, master, "ContactUpdate")


def _join_keys(loser: SandboxContact, master: SandboxContact) -> None:
    """Keep the loser's e-mails and phones as additional ones where the master has its own."""
    for name, own, more in (
        ("email", master.additional_emails, loser.additional_emails),
        ("phone", master.additional_phones, loser.additional_phones),
    ):
        first = master.fields.get(name)
        offered = [loser.fields.get(name) if first else None, *more]
        own += [value for value in offered if value and value not in (first, *own)]


def _move_parts(ghl: Ghl, loser: SandboxContact, master: SandboxContact) -> None:
    """Move notes, tasks and appointments to another contact; their ids stay."""
    events = [one for one in ghl.appointments.values() if one["contactId"] == loser.id]
    for event in events:
        ghl.past.keep(event["id"], event)
    for part in (*loser.notes.values(), *loser.tasks.values(), *events):
        part["contactId"] = master.id
    master.notes.update(loser.notes)
    master.tasks.update(loser.tasks)


def restore(ghl: Ghl, contact: SandboxContact) -> None:
    """Restore a deleted contact with its notes, tasks and appointments."""
    del ghl.contacts.deleted[contact.id]
    ghl.past.keep(contact.id, None)
    ghl.contacts.save(contact)
    emit_contact_event(ghl, contact, "ContactCreate")

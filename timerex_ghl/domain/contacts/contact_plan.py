"""Plan the writes that bring one contact in sync."""

from collections.abc import Iterator, Sequence

from timerex_ghl.domain.contacts.contact_merge import MergedContact, merge_contacts
from timerex_ghl.domain.contacts.identity import can_be_found, keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl, map_to_ghl
from timerex_ghl.domain.shared.actions import (
    AddTags,
    ContactAction,
    ContactPlan,
    CreateContact,
    RemoveTags,
    UpdateContact,
    WithheldValue,
)
from timerex_ghl.domain.shared.errors import ReviewNeededError
from timerex_ghl.domain.shared.models import (
    Contact,
    FieldName,
    FieldRule,
    GhlContact,
    GhlContactId,
    GhlField,
    Values,
)
from timerex_ghl.domain.shared.normal import clean_tag, phone_key

PHONE, GHL_PHONE = FieldName("phone"), GhlField("phone")
NOT_MADE_YET = GhlContactId("")
"""Placeholder id in the tag actions of a contact that the same plan creates."""


def plan_contact(
    workspace: Contact,
    ghl: GhlContact | None,
    base: Contact | None,
    rules: Sequence[FieldRule],
    region: str,
) -> ContactPlan:
    """Plan the fewest writes that bring a contact in sync.

    Args:
        workspace: The workspace row.
        ghl: The contact in GHL; None where GHL does not have it.
        base: What both last agreed on; None the first time.
        rules: The connection's fields.
        region: Reads phone numbers written without a country code.

    Raises:
        ReviewNeededError: The contact is new to GHL and has neither e-mail nor direct phone.
    """
    if ghl is None:
        return _plan_creation(workspace, rules, region)
    merge = merge_contacts(workspace, map_from_ghl(ghl, rules), base, rules, region)
    values = map_to_ghl(_as_sent(merge.values_to_ghl, region), rules, creating=False)
    update = (UpdateContact(contact_id=ghl.id, values=values),) if values else ()
    return _plan_of(merge, (*update, *_tag_actions(merge, ghl.id)))


def is_as_planned(
    before: GhlContact | None, actions: Sequence[ContactAction], after: GhlContact
) -> bool:
    """Return whether GHL has exactly its old values with what was sent, and nothing else."""
    if before is None:
        return False
    values, tags = dict(before.values), before.tags or frozenset()
    for action in actions:
        match action:
            case UpdateContact():
                values |= action.values
            case AddTags():
                tags |= action.tags
            case RemoveTags():
                tags -= action.tags
            case CreateContact():
                return False
    return (after.values, after.tags or frozenset()) == (values, tags)


def sent_phone(plan: ContactPlan) -> str | None:
    """Return the phone that a plan sends to GHL, if any."""
    for action in plan.to_ghl:
        if isinstance(action, CreateContact | UpdateContact):
            phone = action.values.get(GHL_PHONE)
            if isinstance(phone, str) and phone:
                return phone
    return None


def withhold_phone(plan: ContactPlan, base: Contact | None, taken: WithheldValue) -> ContactPlan:
    """Return a plan that does not send the phone, which another contact of GHL has.

    The base keeps what both sides agreed on, so that a later run sends the phone once it is free.

    Args:
        plan: Sends a phone.
        base: The base before the plan.
        taken: The phone, and the contact that has it.
    """
    values = {field: value for field, value in plan.base.values.items() if field != PHONE}
    if base is not None and PHONE in base.values:
        values[PHONE] = base.values[PHONE]
    return plan.model_copy(
        update={
            "to_ghl": tuple(filter(None, map(_without_phone, plan.to_ghl))),
            "base": plan.base.model_copy(update={"values": values}),
            "withheld": (taken,),
        }
    )


def _without_phone(action: ContactAction) -> ContactAction | None:
    if not isinstance(action, CreateContact | UpdateContact):
        return action
    values = {field: value for field, value in action.values.items() if field != GHL_PHONE}
    if not values and isinstance(action, UpdateContact):
        return None
    return action.model_copy(update={"values": values})


def as_pulled(plan: ContactPlan, base: Contact | None, rules: Sequence[FieldRule]) -> ContactPlan:
    """Return a plan without its writes to GHL.

    The base of the fields not sent stays as it was, so that a later run sends them.

    Args:
        plan: For a contact that GHL has.
        base: The base before the plan.
        rules: The connection's fields.
    """
    agreed = base.values if base else {}
    values, tags = {**plan.base.values}, plan.base.tags or frozenset()
    for action in plan.to_ghl:
        match action:
            case UpdateContact() | CreateContact():
                for rule in rules:
                    if rule.ghl in action.values:
                        values.pop(rule.field, None)
                        values |= {rule.field: agreed[rule.field]} if rule.field in agreed else {}
            case AddTags():
                tags -= action.tags
            case RemoveTags():
                tags |= {clean_tag(tag) for tag in action.tags}
    kept = Contact(values=values, tags=None if plan.base.tags is None else tags)
    return plan.model_copy(update={"to_ghl": (), "base": kept})


def _plan_creation(workspace: Contact, rules: Sequence[FieldRule], region: str) -> ContactPlan:
    """Plan the creation of a contact: a merge with an empty GHL contact."""
    nothing = Contact(values=dict.fromkeys((rule.field for rule in rules), None), tags=frozenset())
    merge = merge_contacts(workspace, nothing, None, rules, region, creating=True)
    if not can_be_found(keys_of(Contact(values=merge.values_to_ghl), region)):
        raise ReviewNeededError(
            "the contact has neither an e-mail address nor a direct phone number to match by: enter"
            " one",
            kind="no-key",
        )
    values = map_to_ghl(_as_sent(merge.values_to_ghl, region), rules, creating=True)
    return _plan_of(merge, (CreateContact(values=values), *_tag_actions(merge, NOT_MADE_YET)))


def _plan_of(merge: MergedContact, to_ghl: tuple[ContactAction, ...]) -> ContactPlan:
    return ContactPlan(
        to_ghl=to_ghl,
        to_workspace=merge.to_workspace,
        base=merge.base,
        conflicts=merge.conflicts,
    )


def _tag_actions(merge: MergedContact, contact_id: GhlContactId) -> Iterator[ContactAction]:
    if merge.tags_to_add:
        yield AddTags(contact_id=contact_id, tags=merge.tags_to_add)
    if merge.tags_to_remove:
        yield RemoveTags(contact_id=contact_id, tags=merge.tags_to_remove)


def _as_sent(values: Values, region: str) -> Values:
    """Format the phone as GHL stores it; an invalid number is sent as it is."""
    phone = phone_key(values.get(PHONE), region)
    return {**values, PHONE: phone} if phone else values

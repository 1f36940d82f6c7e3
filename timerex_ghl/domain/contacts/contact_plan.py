"""Plan the writes that bring one contact in sync."""

from collections.abc import Iterator, Mapping, Sequence

from timerex_ghl.domain.contacts.contact_merge import MergedContact, apply_change, merge_contacts
from timerex_ghl.domain.contacts.identity import can_be_found, keys_of
from timerex_ghl.domain.contacts.mapping import map_from_ghl, map_to_ghl
from timerex_ghl.domain.shared.actions import (
    AddTags,
    ContactAction,
    ContactPlan,
    CreateContact,
    RemoveTags,
    StandingDifference,
    UpdateContact,
    WithheldValue,
    WorkspaceChange,
)
from timerex_ghl.domain.shared.errors import ReviewNeededError
from timerex_ghl.domain.shared.merge_field import Side
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
    newer: Mapping[FieldName, Side] | None = None,
) -> ContactPlan:
    """Plan the fewest writes that bring a contact in sync.

    Args:
        workspace: The workspace row.
        ghl: The contact in GHL; None where GHL does not have it.
        base: What both last agreed on; None the first time.
        rules: The connection's fields.
        region: Reads phone numbers written without a country code.
        newer: The side that changed a field last, where that is known; else `newest` asks.

    Raises:
        ReviewNeededError: The contact is new to GHL and has neither e-mail nor direct phone.
    """
    if ghl is None:
        return _plan_creation(workspace, rules, region)
    merge = merge_contacts(workspace, map_from_ghl(ghl, rules), base, rules, region, newer=newer)
    values = map_to_ghl(_as_sent(merge.values_to_ghl, region), rules, creating=False)
    agreed = Contact(
        values={rule.field: merge.base.values[rule.field] for rule in rules if rule.ghl in values},
        tags=merge.agreed_tags,
    )
    update = UpdateContact(contact_id=ghl.id, values=values, base=agreed)
    return _plan_of(merge, (*([update] if values else []), *_tag_actions(merge, ghl.id)))


def base_after(base: Contact | None, action: ContactAction) -> Contact:
    """Return the base once one action of a plan is done, and those before it."""
    values = {**base.values} if base else {}
    return Contact(values={**values, **action.base.values}, tags=action.base.tags)


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


def with_answer(
    plan: ContactPlan,
    workspace: Contact,
    answer: GhlContact,
    rules: Sequence[FieldRule],
    region: str,
) -> ContactPlan:
    """Add to a plan that was sent what GHL filled in by itself, such as the location's country.

    Args:
        plan: Its writes to GHL are done.
        workspace: The workspace row before the plan.
        answer: The contact as GHL answered the last write.
        rules: The connection's fields.
        region: Reads phone numbers written without a country code.
    """
    change = plan.to_workspace
    after = apply_change(workspace, change)
    merge = merge_contacts(after, map_from_ghl(answer, rules), plan.base, rules, region)
    withheld = {one.field for one in plan.withheld}
    if merge.values_to_ghl.keys() - withheld or merge.tags_to_add or merge.tags_to_remove:
        return plan  # the contact was changed meanwhile: the next run reconciles that
    added = merge.to_workspace
    both = WorkspaceChange(
        values={**change.values, **added.values},
        tags_added=change.tags_added | added.tags_added,
        tags_removed=change.tags_removed | added.tags_removed,
    )
    values = {f: value for f, value in merge.base.values.items() if f not in withheld}
    values |= {f: value for f, value in plan.base.values.items() if f in withheld}
    taken = (one for one in plan.differences if one.field in withheld)
    return plan.model_copy(
        update={
            "to_workspace": both,
            "base": merge.base.model_copy(update={"values": values}),
            "differences": (*merge.differences, *taken),
        }
    )


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
            "differences": (*plan.differences, StandingDifference(field=PHONE, reason="taken")),
        }
    )


def _without_phone(action: ContactAction) -> ContactAction | None:
    if not isinstance(action, CreateContact | UpdateContact):
        return action
    values = {field: value for field, value in action.values.items() if field != GHL_PHONE}
    if not values and isinstance(action, UpdateContact):
        return None
    agreed = {field: value for field, value in action.base.values.items() if field != PHONE}
    base = action.base.model_copy(update={"values": agreed})
    return action.model_copy(update={"values": values, "base": base})


def as_pulled(plan: ContactPlan, base: Contact | None) -> ContactPlan:
    """Return a plan without its writes to GHL.

    The base of the fields not sent stays as it was, so that a later run sends them.

    Args:
        plan: For a contact that GHL has.
        base: The base before the plan.
    """
    agreed = base.values if base else {}
    values, tags = {**plan.base.values}, plan.base.tags or frozenset()
    for action in plan.to_ghl:
        match action:
            case UpdateContact() | CreateContact():
                sent = action.base.values.keys()
                values = {field: value for field, value in values.items() if field not in sent}
                values |= {field: agreed[field] for field in sent & agreed.keys()}
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
    agreed = Contact(values=merge.base.values, tags=merge.agreed_tags)
    create = CreateContact(values=values, base=agreed)
    return _plan_of(merge, (create, *_tag_actions(merge, NOT_MADE_YET)))


def _plan_of(merge: MergedContact, to_ghl: tuple[ContactAction, ...]) -> ContactPlan:
    return ContactPlan(
        to_ghl=to_ghl,
        to_workspace=merge.to_workspace,
        base=merge.base,
        conflicts=merge.conflicts,
        differences=merge.differences,
    )


def _tag_actions(merge: MergedContact, contact_id: GhlContactId) -> Iterator[ContactAction]:
    if merge.agreed_tags is None:
        return
    with_added = merge.agreed_tags | merge.tags_to_add
    if merge.tags_to_add:
        agreed = Contact(values={}, tags=with_added)
        yield AddTags(contact_id=contact_id, tags=merge.tags_to_add, base=agreed)
    if merge.tags_to_remove:
        removed = {clean_tag(tag) for tag in merge.tags_to_remove}
        agreed = Contact(values={}, tags=with_added - removed)
        yield RemoveTags(contact_id=contact_id, tags=merge.tags_to_remove, base=agreed)


def _as_sent(values: Values, region: str) -> Values:
    """Format the phone as GHL stores it; an invalid number is sent as it is."""
    phone = phone_key(values.get(PHONE), region)
    return {**values, PHONE: phone} if phone else values

"""The three-way merge of a contact: each field by itself, and the tags one by one.

A field that GHL takes on creation only is one-way from then on.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from timerex_ghl.domain.contacts.mapping import goes_to_ghl, goes_to_workspace
from timerex_ghl.domain.shared.actions import Conflict, StandingDifference, WorkspaceChange
from timerex_ghl.domain.shared.merge_field import (
    FieldPolicy,
    MergedFields,
    Side,
    accept_any,
    merge_fields,
)
from timerex_ghl.domain.shared.models import Contact, FieldName, FieldRule, Record, Value, Values
from timerex_ghl.domain.shared.normal import clean_tag, is_empty, is_same

Tags = frozenset[str]
NO_TAGS: Tags = frozenset()
_NAMES = {FieldName("first_name"), FieldName("last_name")}


class MergedContact(Record):
    """The changes to each side, in canonical fields.

    Attributes:
        agreed_tags: The tags both agreed on before.
        base: The base once that is done. Only values and tags, no time.
    """

    to_workspace: WorkspaceChange
    values_to_ghl: dict[FieldName, Value]
    tags_to_add: Tags
    tags_to_remove: Tags
    agreed_tags: Tags | None
    base: Contact
    conflicts: tuple[Conflict, ...]
    differences: tuple[StandingDifference, ...]


class TagMerge(NamedTuple):
    """The tags to add and remove on each side, those both agreed on before, and afterwards."""

    to_workspace: tuple[Tags, Tags] = (NO_TAGS, NO_TAGS)
    to_ghl: tuple[Tags, Tags] = (NO_TAGS, NO_TAGS)
    agreed: Tags | None = None
    base: Tags | None = None


def merge_contacts(
    workspace: Contact,
    ghl: Contact,
    base: Contact | None,
    rules: Iterable[FieldRule],
    region: str,
    *,
    creating: bool = False,
    newer: Mapping[FieldName, Side] | None = None,
) -> MergedContact:
    """Merge the two views of a contact.

    Args:
        workspace: The workspace row. A field it does not have was never entered there.
        ghl: What GHL answered, in canonical fields.
        base: What both last agreed on; None the first time.
        rules: The connection's fields.
        region: Reads phone numbers written without a country code.
        creating: GHL does not have the contact yet, so create-only fields are included.
        newer: The side that changed a field last, where that is known.
    """
    agreed = base.values if base else {}
    last = newer or {}
    policies = [_policy_of(one, last.get(one.field), region, creating=creating) for one in rules]
    fields = _merge_values(workspace.values, ghl.values, agreed, policies)
    tags = merge_tags(workspace.tags, ghl.tags, base.tags if base else None)
    added, removed = tags.to_workspace
    return MergedContact(
        to_workspace=WorkspaceChange(
            values=fields.to_workspace, tags_added=added, tags_removed=removed
        ),
        values_to_ghl=fields.to_ghl,
        tags_to_add=tags.to_ghl[0],
        tags_to_remove=tags.to_ghl[1],
        agreed_tags=tags.agreed,
        base=Contact(values={**agreed, **fields.base}, tags=tags.base),
        conflicts=fields.conflicts,
        differences=fields.differences,
    )


def merge_tags(workspace: Tags | None, ghl: Tags | None, base: Tags | None) -> TagMerge:
    """Apply each side's added and removed tags to the other.

    Without a base no tag counts as removed: both get the union. A side that was not received
    leaves everything as it is. Tags are removed by the spelling that each side has.
    """
    if workspace is None or ghl is None:
        return TagMerge(agreed=base, base=base)
    local, remote = _cleaned(workspace), _cleaned(ghl)
    agreed = local & remote if base is None else _cleaned(base)
    removed = agreed - (local & remote)
    target = (local | remote) - removed
    return TagMerge(
        to_workspace=(target - local, _spelled(workspace, removed)),
        to_ghl=(target - remote, _spelled(ghl, removed)),
        agreed=agreed,
        base=target,
    )


def apply_change(contact: Contact, change: WorkspaceChange) -> Contact:
    """Return a contact after a change."""
    if contact.tags is None and not change.tags_added:
        tags = None
    else:
        tags = ((contact.tags or NO_TAGS) - change.tags_removed) | change.tags_added
    return contact.model_copy(update={"values": {**contact.values, **change.values}, "tags": tags})


def _merge_values(
    workspace: Values, ghl: Values, base: Values, policies: Sequence[FieldPolicy[Value]]
) -> MergedFields[Value]:
    # No base counts as an empty one: an empty value does not wipe a filled one the first time.
    known = {policy.field: base.get(policy.field) for policy in policies}
    local = {**known, **workspace}  # a field that was never entered counts as unchanged
    remote = {**ghl}
    for field in _NAMES & ghl.keys():
        remote[field] = _undo_lowering(ghl[field], (known.get(field), local.get(field)))
    return merge_fields(local, remote, known, policies)


def _policy_of(
    rule: FieldRule, newer: Side | None, region: str, *, creating: bool
) -> FieldPolicy[Value]:
    accepts = accept_any if rule.empty_wipes else _is_filled
    return FieldPolicy(
        field=rule.field,
        is_same=partial(is_same, rule.field, region=region),
        conflict=rule.conflict,
        newer=newer,
        to_ghl=goes_to_ghl(rule, creating=creating),
        to_workspace=goes_to_workspace(rule),
        ghl_accepts=accepts,
        workspace_accepts=accepts,
        no_way_to_ghl="create only" if rule.create_only else "one-way",
    )


def _is_filled(value: Value) -> bool:
    return not is_empty(value)


def _undo_lowering(ghl: Value, known: tuple[Value, Value]) -> Value:
    """Restore a known name that only lost its capitals: some GHL lists lower-case names."""
    return next((name for name in known if isinstance(name, str) and name.lower() == ghl), ghl)


def _cleaned(tags: Tags) -> Tags:
    return frozenset(cleaned for tag in tags if (cleaned := clean_tag(tag)))


def _spelled(tags: Tags, cleaned: Tags) -> Tags:
    return frozenset(tag for tag in tags if clean_tag(tag) in cleaned)

"""Tags, added and removed one by one: tags in a contact's body would replace all others."""

from collections.abc import Collection

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.mappers import Json, tags_of
from timerex_ghl.adapters.ghl.transport import GhlTransport
from timerex_ghl.domain.shared.models import GhlContactId


class TagCalls(GhlTransport):
    """The tags of contacts."""

    async def add_tags(self, contact_id: GhlContactId, tags: Collection[str]) -> frozenset[str]:
        """Add tags to a contact; return all its tags. Tags it already has are unchanged.

        Source: POST /contacts/{contactId}/tags, docs/vendors/ghl.md#contacts.
        """
        body = {"tags": sorted(tags)}
        return await self.send(ops.ADD_TAGS, _all_tags, body=body, contact=contact_id)

    async def remove_tags(self, contact_id: GhlContactId, tags: Collection[str]) -> frozenset[str]:
        """Remove tags from a contact; return all its remaining tags.

        Source: DELETE /contacts/{contactId}/tags, docs/vendors/ghl.md#contacts.
        """
        body = {"tags": sorted(tags)}
        return await self.send(ops.REMOVE_TAGS, _all_tags, body=body, contact=contact_id)


def _all_tags(answer: Json) -> frozenset[str]:
    return tags_of(answer["tags"])

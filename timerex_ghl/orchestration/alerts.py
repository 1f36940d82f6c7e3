"""Set up alerts: a notification block and automations."""

import re
from typing import Any
from uuid import UUID

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import PrefectClient, get_client
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound

from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.orchestration.automations import all_automations, is_managed
from timerex_ghl.orchestration.schedules import put_watch

BLOCK = "timerex-ghl-alerts"
"""Name of the block that `--webhook` creates."""


ADDRESS = re.compile(r"https?://[^\s/]\S*")


async def make_webhook_block(url: str) -> str:
    """Create or update a block that posts `{subject, text}` to a URL; return its name.

    Raises:
        SettingsError: The URL is invalid.
    """
    if not ADDRESS.fullmatch(url):
        raise SettingsError("invalid webhook URL: enter https://… or http://…")
    block = CustomWebhookNotificationBlock(
        name=BLOCK,
        url=url,
        json_data={"subject": "{{subject}}", "text": "{{body}}"},
        headers=None,
        cookies=None,
    )
    await block.asave(BLOCK, overwrite=True)
    return f"{block.get_block_type_slug()}/{BLOCK}"


async def put_alerts(block: str) -> list[str]:
    """Create or update our automations; return their names.

    Args:
        block: A notification block, `type-slug/name` as Prefect writes it.
    """
    async with get_client() as client:
        block_id = await _find_block(client, block)
        wanted = all_automations(block_id)
        there = {one.name: one for one in await client.read_automations() if is_managed(one)}
        for automation in wanted:
            known = there.pop(automation.name, None)
            if known is None:
                await client.create_automation(automation)
            elif _what(known) != _what(automation):  # an update can alert twice for a while
                await client.update_automation(known.id, automation)
        for former in there.values():
            await client.delete_automation(former.id)
        await put_watch(client, wake=True)
    return [automation.name for automation in wanted]


def _what(automation: AutomationCore) -> dict[str, Any]:
    """Return what an automation does, without the ids that Prefect gives its parts."""
    said = automation.model_dump(mode="json", include={"description", "trigger", "actions"})
    return {
        **said,
        "trigger": {key: said["trigger"][key] for key in said["trigger"] if key != "id"},
    }


async def remove_alerts() -> int:
    """Remove our automations; return how many. The watch continues, as it deletes old events."""
    async with get_client() as client:
        return await _remove(client)


async def list_alerts() -> list[str]:
    """List the names of our automations."""
    async with get_client() as client:
        return sorted(one.name for one in await client.read_automations() if is_managed(one))


async def _remove(client: PrefectClient) -> int:
    managed = [one for one in await client.read_automations() if is_managed(one)]
    for automation in managed:
        await client.delete_automation(automation.id)
    return len(managed)


async def _find_block(client: PrefectClient, block: str) -> UUID:
    slug, _, name = block.partition("/")
    try:
        document = await client.read_block_document_by_name(name, slug, include_secrets=False)
    except ObjectNotFound:
        raise SettingsError(
            f"no block {block}: make a notification block under Blocks in the Prefect UI, and name"
            " it as its address there does, for example slack-webhook/ops"
        ) from None
    return document.id

"""Setting up who is told: notification block, automations, the schedule of the watch."""

import re
from datetime import timedelta
from uuid import UUID

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.exceptions import ObjectNotFound

from tasks.automations import PREFIX, all_automations, is_ours
from timerex_ghl.sync.errors import SettingsError

BLOCK = "timerex-ghl-alerts"
"""Name of the block that `--webhook` makes."""

ADDRESS = re.compile(r"https?://[^\s/]\S*")

WATCH = "watch"
WATCH_EVERY = timedelta(minutes=5)


async def make_webhook_block(url: str) -> str:
    """Make (or change) a block that posts `{subject, text}` to an address; hand back its name.

    Raises:
        SettingsError: The address is none.
    """
    if not ADDRESS.fullmatch(url):
        raise SettingsError("the webhook's address is none: enter https://… or http://…")
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
    """Make our automations, or bring them up to date; hand back their names.

    Args:
        block: A notification block, `type-slug/name` as Prefect writes it.
    """
    async with get_client() as client:
        block_id = await _find_block(client, block)
        wanted = all_automations(block_id)
        await _remove(client)
        for automation in wanted:
            await client.create_automation(automation)
        await _put_watch(client, active=True)
    return [automation.name for automation in wanted]


async def remove_alerts() -> int:
    """Remove our automations, and let the watch rest; hand back how many there were."""
    async with get_client() as client:
        removed = await _remove(client)
        await _put_watch(client, active=False)
    return removed


async def list_alerts() -> list[str]:
    """Name our automations that are set."""
    async with get_client() as client:
        return sorted(one.name for one in await client.read_automations() if is_ours(one))


async def _remove(client: PrefectClient) -> int:
    ours = [one for one in await client.read_automations() if is_ours(one)]
    for automation in ours:
        await client.delete_automation(automation.id)
    return len(ours)


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


async def _put_watch(client: PrefectClient, *, active: bool) -> None:
    """Let the watch run every few minutes, or rest.

    Raises:
        SettingsError: It is not deployed.
    """
    try:
        deployment = await client.read_deployment_by_name(f"{WATCH}/{WATCH}")
    except ObjectNotFound:
        raise SettingsError(f"no deployment {WATCH}: run timerex-ghl deploy first") from None
    slug = PREFIX.rstrip(": ")
    for old in await client.read_deployment_schedules(deployment.id):
        if old.slug == slug:
            await client.update_deployment_schedule(deployment.id, old.id, active=active)
            return
    if active:
        schedule = IntervalSchedule(interval=WATCH_EVERY)
        await client.create_deployment_schedules(deployment.id, [(schedule, True)], slug=slug)

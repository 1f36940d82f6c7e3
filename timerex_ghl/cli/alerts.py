"""`timerex-ghl alerts`: alerts when something fails."""

import click

from timerex_ghl.cli.running import fail, run


@click.command()
@click.option("--block", help="A notification block, as in its URL: slack-webhook/ops.")
@click.option("--webhook", metavar="URL", help="Post {subject, text} as JSON to this URL.")
@click.option("--remove", is_flag=True, help="Remove all alerts.")
def alerts(block: str | None, webhook: str | None, remove: bool) -> None:
    """Send an alert when a run fails, dies or needs a review, and for what the flow watch finds.

    The flow `watch` finds events that are pending for too long, silent webhooks, a daily call
    budget that runs low, and revoked tokens.

    Sets up automations in Prefect for this project's deployments, and schedules the flow `watch`
    every five minutes. Safe to repeat: existing automations are updated. Without an option it
    lists them. Needs `timerex-ghl deploy` first.
    """
    if sum(map(bool, (block, webhook, remove))) > 1:
        fail("choose one of --block, --webhook and --remove")
    for line in run(_alerts(block, webhook, remove=remove)):
        click.echo(line)


async def _alerts(block: str | None, webhook: str | None, *, remove: bool) -> list[str]:
    from timerex_ghl.cli.orchestration import check_prefect
    from timerex_ghl.orchestration.alerts import (
        list_alerts,
        make_webhook_block,
        put_alerts,
        remove_alerts,
    )

    await check_prefect()
    if remove:
        return [f"{await remove_alerts()} automations removed"]
    if webhook is not None:
        block = await make_webhook_block(webhook)
    if block is not None:
        return [f"alerts through {block}:", *await put_alerts(block)]
    return await list_alerts() or ["no alerts: set a block or a webhook, see --help"]

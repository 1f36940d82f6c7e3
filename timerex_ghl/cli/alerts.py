"""`timerex-ghl alerts`: who is told when something fails."""

import click

from timerex_ghl.cli.running import fail, run


@click.command()
@click.option("--block", help="A notification block, as in its address: slack-webhook/ops.")
@click.option("--webhook", metavar="URL", help="Post {subject, text} as JSON to this address.")
@click.option("--remove", is_flag=True, help="Tell nobody any more.")
def alerts(block: str | None, webhook: str | None, remove: bool) -> None:
    """Tell people when a run fails, is dead, or needs somebody, and what the flow watch finds.

    That is: events that wait too long, webhooks that stay away, calls of the day that run out,
    tokens that were ended.

    Sets up automations in Prefect for this project's deployments, and lets the flow `watch` run
    every five minutes. Safe to repeat: what is there is brought up to date. Without an option it
    lists what is set. Needs `timerex-ghl deploy` first.
    """
    if sum(map(bool, (block, webhook, remove))) > 1:
        fail("choose one of --block, --webhook and --remove")
    for line in run(_alerts(block, webhook, remove=remove)):
        click.echo(line)


async def _alerts(block: str | None, webhook: str | None, *, remove: bool) -> list[str]:
    from tasks.alerts import list_alerts, make_webhook_block, put_alerts, remove_alerts
    from timerex_ghl.cli.orchestration import check_prefect

    await check_prefect()
    if remove:
        return [f"{await remove_alerts()} automations removed"]
    if webhook is not None:
        block = await make_webhook_block(webhook)
    if block is not None:
        return [f"told through {block}:", *await put_alerts(block)]
    return await list_alerts() or ["nobody is told: set a block or a webhook, see --help"]

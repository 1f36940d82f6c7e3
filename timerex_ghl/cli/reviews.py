"""`timerex-ghl reviews`: list, show and resolve reviews."""

import getpass
from collections.abc import Iterable
from typing import Any

import click

from timerex_ghl.cli.running import fail, run

LEDGER = click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")


HELP = """List, show and resolve reviews.

\b
A run that ended as NeedsReview opened at least one:
  timerex-ghl reviews list NAME
  timerex-ghl reviews show NAME r_0123456789abcdef
  timerex-ghl reviews resolve NAME r_0123456789abcdef --keep ghl
"""


@click.group(help=HELP)
def reviews() -> None:
    """Group the review commands."""


@reviews.command("list")
@click.argument("connection")
@LEDGER
def list_(connection: str, ledger: str | None) -> None:
    """Print open reviews, oldest first: id, time opened, kind, record, reason."""
    from timerex_ghl.workspace.operator_views import list_reviews

    for line in run(list_reviews(ledger, connection)) or ["no open reviews"]:
        click.echo(line)


@reviews.command()
@click.argument("connection")
@click.argument("review_id")
@LEDGER
def show(connection: str, review_id: str, ledger: str | None) -> None:
    """Print one review with the values of both sides, and the commands that resolve it."""
    from timerex_ghl.workspace.operator_views import show_review

    for line in run(show_review(ledger, connection, review_id)):
        click.echo(line)


@reviews.command()
@click.argument("connection")
@click.argument("review_id")
@click.option("--keep", type=click.Choice(["workspace", "ghl"]), help="Which value to keep.")
@click.option(
    "--field", "fields", multiple=True, metavar="NAME=workspace|ghl",
    help="Which value of one field to keep; may be repeated.",
)  # fmt: skip
@click.option(
    "--value", "values", multiple=True, metavar="NAME=VALUE",
    help="A new value for both sides; may be repeated.",
)  # fmt: skip
@click.option("--link", metavar="ID", help="This contact in GHL is the same person.")
@click.option("--apart", is_flag=True, help="These are different people; do not ask again.")
@click.option("--drop", is_flag=True, help="Close it and write nothing; do not ask again.")
@click.option("--retry", is_flag=True, help="Try again, once the cause is fixed.")
@click.option(
    "--by", default=getpass.getuser, help="Your name, for the audit.  [default: your login name]"
)
def resolve(connection: str, review_id: str, by: str, **chosen: Any) -> None:
    """Resolve one review. If it is already resolved, print by whom and change nothing.

    Needs PREFECT_API_URL, because the credentials are stored in Prefect's blocks.
    """
    click.echo(run(_resolve(connection, review_id, _decision_of(by, chosen))))


def _decision_of(by: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """Convert the options to a decision; whether it fits the review is checked later."""
    ways = {
        "keep": bool(chosen["keep"] or chosen["fields"] or chosen["values"]),
        "link": chosen["link"] is not None,
        **{way: chosen[way] for way in ("apart", "drop", "retry")},
    }
    named = [way for way, is_chosen in ways.items() if is_chosen]
    if len(named) != 1:
        fail("choose one: --keep, --field or --value; --link; --apart; --drop; or --retry")
    return {
        "way": named[0],
        "by": by,
        "keep": chosen["keep"],
        "fields": _pairs("--field", chosen["fields"]),
        "values": _pairs("--value", chosen["values"]),
        "link_to": chosen["link"],
    }


def _pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if not all(name and sign for name, sign, _ in pairs):
        fail(f"{option}: expected NAME=VALUE, for example {option} city=Nara")
    return {name: value for name, _, value in pairs}


async def _resolve(connection: str, review_id: str, decision: dict[str, Any]) -> str:
    from pydantic import ValidationError

    from timerex_ghl.cli.orchestration import check_prefect
    from timerex_ghl.domain.reviews.review_decisions import Decision
    from timerex_ghl.domain.shared.errors import SettingsError
    from timerex_ghl.domain.shared.models import ConnectionName
    from timerex_ghl.engine.reviews.resolve_review import resolve
    from timerex_ghl.orchestration.contexts import open_context
    from timerex_ghl.orchestration.review_table import put_review_table

    try:
        chosen_ways = Decision.model_validate(decision)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{name}: {first['msg']}".removeprefix(": ")) from None
    await check_prefect()
    async with open_context(ConnectionName(connection)) as context:
        resolved = await resolve(context, review_id, chosen_ways)
        await put_review_table(context)
    return resolved.in_words()

"""`timerex-ghl token`: access tokens of the HTTP API."""

import getpass

import click

from timerex_ghl.cli.running import fail, run

LEDGER = click.option("--ledger", default=None, help="SQLAlchemy URL; else TIMEREX_GHL_LEDGER.")

HELP = """Let other programs use the HTTP API of a connection's workspace.

\b
  timerex-ghl token create --connection NAME --name "Our website" --write
  timerex-ghl token list
  timerex-ghl token revoke t_0123456789ab
"""


@click.group(help=HELP)
def token() -> None:
    """Group the token commands."""


@token.command()
@click.option("--connection", required=True, help="Connection whose records it can use.")
@click.option("--name", default="", help="A name, to recognize it in the list.")
@click.option("--write", is_flag=True, help="Allow changes; else it can only read.")
@LEDGER
def create(connection: str, name: str, write: bool, ledger: str | None) -> None:
    """Create a token and print it once: only its digest is stored."""
    token_id, made = run(_create(ledger, connection, name, may_write=write))
    click.echo(f"{token_id}: may {'read and write' if write else 'read'}; shown only now", err=True)
    click.echo(made)


@token.command("list")
@click.option("--connection", default=None, help="Only those of this connection.")
@LEDGER
def list_(connection: str | None, ledger: str | None) -> None:
    """Print the tokens: id, connection, rights, state, last use, name."""
    for line in run(_list(ledger, connection)) or [
        "no tokens: create one with timerex-ghl token create"
    ]:
        click.echo(line)


@token.command()
@click.argument("token_id")
@LEDGER
def revoke(token_id: str, ledger: str | None) -> None:
    """Revoke a token, immediately and permanently."""
    match run(_revoke(ledger, token_id)):
        case True:
            click.echo(f"{token_id} is revoked")
        case False:
            click.echo(f"{token_id} was already revoked")
        case None:
            fail(f"no token {token_id}: see timerex-ghl token list")


async def _create(
    url: str | None, connection: str, name: str, *, may_write: bool
) -> tuple[str, str]:
    from timerex_ghl.adapters.ledger.db import clock
    from timerex_ghl.adapters.ledger.db.core import open_ledger
    from timerex_ghl.adapters.ledger.tables.access import api_tokens
    from timerex_ghl.adapters.ledger.tables.operations import published
    from timerex_ghl.configuration import default_ledger_url
    from timerex_ghl.domain.shared.errors import SettingsError
    from timerex_ghl.domain.shared.models import ConnectionName

    named, by = ConnectionName(connection), getpass.getuser()
    async with open_ledger(url or default_ledger_url()) as ledger:
        if await ledger.read(published.current, named) is None:
            raise SettingsError(f"connection {named} is not published: run timerex-ghl publish")
        now = await ledger.read(clock.now)
        token_id, made = await ledger.write(
            api_tokens.create_token, named, name=name, may_write=may_write, by=by, now=now
        )
    return token_id, made.get_secret_value()


async def _list(url: str | None, connection: str | None) -> list[str]:
    from timerex_ghl.adapters.ledger.db.core import open_ledger
    from timerex_ghl.adapters.ledger.tables.access import api_tokens
    from timerex_ghl.configuration import default_ledger_url
    from timerex_ghl.domain.shared.models import ConnectionName

    name = None if connection is None else ConnectionName(connection)
    async with open_ledger(url or default_ledger_url()) as ledger:
        return [one.in_words() for one in await ledger.read(api_tokens.list_tokens, name)]


async def _revoke(url: str | None, token_id: str) -> bool | None:
    from timerex_ghl.adapters.ledger.db import clock
    from timerex_ghl.adapters.ledger.db.core import open_ledger
    from timerex_ghl.adapters.ledger.tables.access import api_tokens
    from timerex_ghl.configuration import default_ledger_url

    async with open_ledger(url or default_ledger_url()) as ledger:
        now = await ledger.read(clock.now)
        return await ledger.write(api_tokens.revoke_token, token_id, by=getpass.getuser(), now=now)

"""From a draft to published settings: all faults are reported at once, one line each."""

import re
import secrets
from typing import Literal, NamedTuple

from blocks.calendars import read_calendars
from blocks.connection import Connection
from blocks.ghl import GHLCredentials
from blocks.secret import filled, plain
from blocks.timerex import TimeRexCredentials
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.webhooks.signatures import is_webhook_key
from timerex_ghl.domain.connections.settings import (
    ActivitySettings,
    ConnectionSettings,
    GhlSettings,
    PublishedConnection,
    TimerexSettings,
)
from timerex_ghl.domain.shared.errors import ScopeError, SettingsError
from timerex_ghl.domain.shared.models import ConnectionName, LocationId

LEAST_TOKEN_LENGTH = 32
ADDRESS = re.compile(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")
"""Addresses a token may be sent to: encrypted ones, and this machine."""

BOUNDS = {
    "poll_minutes": (1, 24 * 60),
    "newest_tolerance_s": (0, 3600),
    "move_minutes": (1, 24 * 60),
    "most_deletes": (1, 100_000),
    "most_deletes_percent": (1, 100),
    "note_calls_per_hour": (0, 36_000),
    "task_minutes": (1, 24 * 60),
}
"""Smallest and largest value of each number in a draft."""


async def load_draft(connection: ConnectionName) -> Connection:
    """Load a connection's block and the blocks it refers to.

    Raises:
        SettingsError: It does not exist, or what Prefect stored does not fit its schema.
    """
    try:
        return await Connection.aload(connection)
    except ValueError as error:
        if "Unable to find block document" in str(error):
            raise SettingsError(
                f"no block TimeRex GHL Connection named {connection}: create it under Blocks"
            ) from None
        raise SettingsError(
            f"the block {connection} does not fit its form: save it again"
        ) from None


def faults_of(name: ConnectionName, draft: Connection) -> list[str]:
    """List the faults of a draft that can be found without a remote call."""
    faults: list[str] = []
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", name):
        faults.append("name: use a-z, 0-9 and dashes, 40 characters at most")
    if not re.fullmatch(r"\w{4,64}", draft.location_id.strip()):
        faults.append("location_id: enter the part after /location/ in the address of GHL")
    if not re.fullmatch(r"|[A-Za-z]{2}", draft.region.strip()):
        faults.append("region: enter a country's two letters, for example JP, or leave it empty")
    for field, (least, most) in BOUNDS.items():
        if not least <= getattr(draft, field) <= most:
            faults.append(f"{field}: enter {least} to {most}")
    faults += read_calendars(draft.calendars).faults
    if draft.cancel_in_timerex and not draft.timerex.ways():
        faults.append("cancel_in_timerex: enter TimeRex's API key too, or switch it off")
    return [*faults, *_faults_of_ghl(draft.ghl), *_faults_of_timerex(draft.timerex)]


def _faults_of_ghl(block: GHLCredentials) -> list[str]:
    faults: list[str] = []
    match sorted(block.ways()):
        case []:
            faults.append("ghl: enter a private integration token, or an OAuth app")
        case ["oauth"]:
            fields = ("client_id", "client_secret", "refresh_token")
            missing = [field for field in fields if not filled(getattr(block, field))]
            faults += [f"ghl.{field}: enter it, an OAuth app needs all three" for field in missing]
        case ["private-token"]:
            if not block.scopes.split():
                faults.append("ghl.scopes: enter what the private token may do")
        case _:
            faults.append("ghl: enter a private token or an OAuth app, not both")
    for field in ("base_url", "token_url", "app_url"):
        if not ADDRESS.match(getattr(block, field)):
            faults.append(f"ghl.{field}: enter an address that begins with https://")
    keys = block.webhook_keys()
    if not keys or not all(is_webhook_key(key) for key in keys):
        faults.append("ghl.webhook_public_keys: enter GHL's Ed25519 public key, in base64")
    if block.saved_as is None:
        faults.append("ghl: save the credentials as a block of their own, and choose it")
    return faults


def _faults_of_timerex(block: TimeRexCredentials) -> list[str]:
    faults: list[str] = []
    for field in ("webhook_token", "previous_webhook_token"):
        token = plain(getattr(block, field))
        if (token or field == "webhook_token") and len(token) < LEAST_TOKEN_LENGTH:
            faults.append(f"timerex.{field}: enter at least {LEAST_TOKEN_LENGTH} characters")
    if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", block.webhook_header.strip()):
        faults.append("timerex.webhook_header: enter a header's name, as TimeRex shows it")
    faults += _faults_of_timerex_api(block)
    if block.saved_as is None:
        faults.append("timerex: save the credentials as a block of their own, and choose it")
    return faults


def _faults_of_timerex_api(block: TimeRexCredentials) -> list[str]:
    faults: list[str] = []
    ways = block.ways()
    if "api-key" in ways and not re.fullmatch(r"[A-Za-z0-9]{64}", plain(block.api_key)):
        faults.append("timerex.api_key: enter the 64 letters and digits that TimeRex shows")
    if len(ways) > 1:
        faults.append("timerex: enter an API key or an OAuth app, not both")
    if ways == {"oauth"}:
        fields = ("client_id", "client_secret", "refresh_token")
        missing = [field for field in fields if not filled(getattr(block, field))]
        faults += [f"timerex.{field}: enter it, an OAuth app needs all three" for field in missing]
    for field in ("base_url", "token_url"):
        if not ADDRESS.match(getattr(block, field)):
            faults.append(f"timerex.{field}: enter an address that begins with https://")
    return faults


def refuse(faults: list[str]) -> None:
    """Raise when there are faults.

    Raises:
        SettingsError: With one line per fault.
    """
    if faults:
        raise SettingsError("not published:\n" + "\n".join(f"- {fault}" for fault in faults))


def ghl_settings_of(draft: Connection) -> GhlSettings:
    """Return the published form of the GHL settings."""
    auth: Literal["private-token", "oauth"] = (
        "private-token" if draft.ghl.ways() == {"private-token"} else "oauth"
    )
    return GhlSettings(
        location_id=LocationId(draft.location_id.strip()),
        base_url=draft.ghl.base_url.rstrip("/"),
        token_url=draft.ghl.token_url,
        app_url=draft.ghl.app_url.rstrip("/"),
        credentials=draft.ghl.saved_as or "",
        auth=auth,
        scopes=frozenset(draft.ghl.scopes.split()),
        calls_per_10_s=100 if draft.rate_limit else None,
        webhook_keys=draft.ghl.webhook_keys(),
        older_webhook_keys=draft.ghl.older_webhook_keys(),
        app_id=draft.ghl.app_id() if auth == "oauth" else None,
    )


def settings_of(
    name: ConnectionName,
    draft: Connection,
    ghl: GhlSettings,
    country: str | None,
    running: PublishedConnection | None,
) -> ConnectionSettings:
    """Return the published form of a draft. The endpoint's name is generated once and kept.

    Args:
        name: The connection's name.
        draft: What is to be published.
        ghl: The GHL settings, with the scopes its token really has.
        country: The location's country; None where it has none, or it could not be read.
        running: The version published now; None before the first.
    """
    endpoint = running.settings.timerex.endpoint if running else secrets.token_hex(16)
    return ConnectionSettings(
        name=name,
        ghl=ghl,
        timerex=_timerex_settings_of(draft, endpoint),
        region=(draft.region.strip() or country or "US").upper(),
        rules=draft.rules(),
        booked_tag=draft.booked_tag.strip().lower() or None,
        cancelled_tag=draft.cancelled_tag.strip().lower() or None,
        poll_minutes=draft.poll_minutes,
        newest_tolerance_s=draft.newest_tolerance_s,
        move_minutes=draft.move_minutes,
        activities=ActivitySettings(
            mirrors=draft.mirror_activities,
            rule=draft.activity_rule,
            most_deletes=draft.most_deletes,
            most_deletes_percent=draft.most_deletes_percent,
            note_calls_per_hour=draft.note_calls_per_hour,
            task_minutes=draft.task_minutes,
        ),
        appointments=draft.appointments(),
    )


def _timerex_settings_of(draft: Connection, endpoint: str) -> TimerexSettings:
    block, ways = draft.timerex, draft.timerex.ways()
    return TimerexSettings(
        credentials=block.saved_as or "",
        endpoint=endpoint,
        header=block.webhook_header.strip().lower(),
        token_digests=block.token_digests(),
        auth="api-key" if "api-key" in ways else "oauth" if ways else "none",
        base_url=block.base_url.rstrip("/"),
        token_url=block.token_url,
        rate_limited=draft.rate_limit,
    )


async def country_of(client: GhlClient, region: str) -> str | None:
    """Read the location's country; None if the token may not but the draft has a region.

    Raises:
        SettingsError: The token may not read it, and the draft has no region.
    """
    try:
        return (await client.get_location()).country
    except ScopeError:
        if region.strip():
            return None
        raise SettingsError(
            "region: enter your two-letter country code, for example JP: the token lacks the scope"
            " locations.readonly, so the location's country cannot be read"
        ) from None


class CheckedDraft(NamedTuple):
    """A draft that passed the checks, with the version that runs now.

    Attributes:
        calendars: Number of calendars in TimeRex's REST API; None without credentials for it.
    """

    settings: ConnectionSettings
    running: PublishedConnection | None
    calendars: int | None

"""Where a running sandbox answers, and with which credentials. All of them are invented."""

from dataclasses import asdict, dataclass

from timerex_ghl.sandbox.core.json_io import Json


@dataclass(frozen=True)
class GhlInfo:
    """The GHL half: one location with one calendar and one user."""

    base_url: str
    token_url: str
    location_id: str
    access_token: str
    refresh_token: str
    client_id: str
    client_secret: str
    private_token: str
    calendar_id: str
    user_id: str
    webhook_public_key: str


@dataclass(frozen=True)
class TimerexInfo:
    """The TimeRex half: one team with an API key, and an OAuth app. `calendar_id` is one of two."""

    base_url: str
    token_url: str
    booking_url: str
    api_key: str
    client_id: str
    client_secret: str
    access_token: str
    refresh_token: str
    webhook_header: str
    webhook_token: str
    calendar_id: str


@dataclass(frozen=True)
class ControlInfo:
    """The control API and its bearer token."""

    base_url: str
    token: str


@dataclass(frozen=True)
class SandboxInfo:
    """The addresses and credentials of a running sandbox."""

    ghl: GhlInfo
    timerex: TimerexInfo
    control: ControlInfo

    def as_json(self) -> Json:
        """Return the nested keys that `timerex-ghl sandbox --json` prints."""
        return asdict(self)

    def as_text(self) -> str:
        """Format it as text."""
        lines: list[str] = []
        for side, values in self.as_json().items():
            lines += [side, *(f"  {key:<19} {value}" for key, value in values.items()), ""]
        return "\n".join(lines).rstrip()

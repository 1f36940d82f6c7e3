"""TimeRex: what its webhooks carry to prove themselves, and its API key."""

from hashlib import sha256
from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr

from blocks.secret import plain


class TimeRexCredentials(Block):
    """Credentials of one TimeRex team.

    Example:
        Load the stored credentials:
        ```python
        from blocks import TimeRexCredentials

        credentials = TimeRexCredentials.load("BLOCK_NAME")
        ```
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _block_type_name = "TimeRex Credentials"
    _block_type_slug = "timerex-credentials"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl("https://developers.timerex.net/")

    webhook_token: SecretStr = Field(
        default=SecretStr(""),
        description="The token TimeRex shows under Team Settings, Integrations, Webhook. "
        "At least 32 characters.",
    )
    previous_webhook_token: SecretStr = Field(
        default=SecretStr(""),
        description="The token before a rotation. Accepted beside the new one until you empty "
        "this field and publish again.",
    )
    webhook_header: str = Field(
        default="x-timerex-authorization",
        description="Name of the header that carries the token, as shown in TimeRex.",
        examples=["x-timerex-authorization", "authorization"],
    )
    api_key: SecretStr = Field(
        default=SecretStr(""),
        title="API key",
        description="Made in TimeRex under Team Settings, Developer tools. Optional.",
    )

    @property
    def saved_as(self) -> str | None:
        """Name the block was saved under; None where it lives inside another block only."""
        return self._block_document_name

    def token_digests(self) -> tuple[str, ...]:
        """Digest the accepted webhook tokens (SHA-256, hex): all that the gateway may know."""
        tokens = (plain(self.webhook_token), plain(self.previous_webhook_token))
        return tuple(sha256(token.encode()).hexdigest() for token in tokens if token)

"""Blocks for tests, saved under names as in Prefect, without a server."""

from typing import Any, TypeVar

from prefect.blocks.core import Block

from blocks import Connection, FieldMapping, GHLCredentials, TimeRexCredentials

TOKEN = "canary-webhook-token-0123456789abcdef"
PREVIOUS_TOKEN = "canary-previous-token-0123456789abcdef"
PRIVATE_TOKEN = "pit-canary-private-token"

B = TypeVar("B", bound=Block)


def saved(block: B, name: str = "aoba") -> B:
    """Set the name a block is saved under."""
    block._block_document_name = name  # pyright: ignore[reportPrivateUsage]  only a server sets it
    return block


def ghl(**changes: Any) -> GHLCredentials:
    return saved(
        GHLCredentials.model_validate({"private_token": PRIVATE_TOKEN, **changes}), "aoba-ghl"
    )


def oauth(**changes: Any) -> GHLCredentials:
    app = {
        "private_token": "",
        "client_id": "66f0c0ffee-app",
        "client_secret": "canary-client-secret",
        "refresh_token": "canary-refresh-token",
    }
    return ghl(**{**app, **changes})


def timerex(**changes: Any) -> TimeRexCredentials:
    block = TimeRexCredentials.model_validate({"webhook_token": TOKEN, **changes})
    return saved(block, "aoba-timerex")


def draft(**changes: Any) -> Connection:
    """A publishable connection; a test passes only what it changes."""
    fields = {"location_id": "ve9EPM428h8vShlRW1KT", "ghl": ghl(), "timerex": timerex()}
    return saved(Connection.model_validate({**fields, **changes}))


def mapping(*rules: dict[str, Any]) -> FieldMapping:
    return FieldMapping.model_validate({"rules": [*rules]})

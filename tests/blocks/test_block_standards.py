"""Prefect's own standards for blocks, and ours for secrets."""

from typing import Any

import pytest
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites.blocks import BlockStandardTestSuite
from pydantic import SecretStr, ValidationError

import blocks

BLOCKS: list[type[Block]] = [getattr(blocks, name) for name in blocks.__all__]
CANARY = "canary-7f3a91"

SECRETS = {
    "Connection": {
        "ghl.private_token", "ghl.client_secret", "ghl.refresh_token",
        "timerex.webhook_token", "timerex.previous_webhook_token", "timerex.api_key",
        "timerex.client_secret", "timerex.refresh_token",
    },
    "FieldMapping": set[str](),
    "GHLCredentials": {"private_token", "client_secret", "refresh_token"},
    "LedgerStore": {"url"},
    "TimeRexCredentials": {
        "webhook_token", "previous_webhook_token", "api_key", "client_secret", "refresh_token",
    },
}  # fmt: skip

MISFITS: list[tuple[type[Block], dict[str, Any]]] = [
    *(
        (blocks.GHLCredentials, {field: {"pasted": CANARY}})
        for field in blocks.GHLCredentials.model_fields
    ),
    *(
        (blocks.TimeRexCredentials, {field: {"pasted": CANARY}})
        for field in blocks.TimeRexCredentials.model_fields
    ),
    (blocks.LedgerStore, {"url": {"pasted": CANARY}}),
    (blocks.FieldMapping, {"rules": CANARY}),
    (blocks.FieldMapping, {"rules": [{"field": "email", "ghl": "email", "direction": CANARY}]}),
    (blocks.Connection, {"ghl": {"private_token": {"pasted": CANARY}}}),
    (blocks.Connection, {"timerex": {"webhook_token": [CANARY]}}),
    (blocks.Connection, {"poll_minutes": CANARY}),
    (blocks.Connection, {"rate_limit": CANARY}),
    (blocks.Connection, {"activity_rule": CANARY}),
]


class TestStandards(BlockStandardTestSuite):
    @pytest.fixture(params=BLOCKS, ids=lambda block: block.__name__)
    def block(self, request: pytest.FixtureRequest) -> type[Block]:
        return request.param

    def test_has_a_valid_image(self, block: type[Block]) -> None:
        """A logo must be a public URL, which every page of the UI would request."""
        assert vars(block).get("_logo_url") is None


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_prefect_knows_every_secret(block: type[Block]) -> None:
    assert set(block.model_json_schema()["secret_fields"]) == SECRETS[block.__name__]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_secrets_stand_at_the_top_of_their_block(block: type[Block]) -> None:
    top = {name for name, field in block.model_fields.items() if "SecretStr" in str(field)}

    assert top == {name for name in SECRETS[block.__name__] if "." not in name}


@pytest.mark.parametrize(("block", "fields"), MISFITS)
def test_an_error_does_not_repeat_what_was_entered(
    block: type[Block], fields: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as caught:
        block(**fields)

    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    "block", [blocks.GHLCredentials, blocks.TimeRexCredentials, blocks.LedgerStore]
)
def test_a_block_does_not_print_its_secrets(block: type[Block]) -> None:
    filled = block.model_validate(dict.fromkeys(SECRETS[block.__name__], SecretStr(CANARY)))

    assert CANARY not in f"{filled!r} {filled} {filled.model_dump_json()}"

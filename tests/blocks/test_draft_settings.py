"""A draft's published form: everything a run needs, and no secret."""

from hashlib import sha256
from typing import Any

import pytest

from blocks import Connection
from blocks.draft import BOUNDS, faults_of, ghl_settings_of, settings_of
from tests.blocks.drafts import PREVIOUS_TOKEN, PRIVATE_TOKEN, TOKEN, draft, ghl, oauth, timerex
from tests.make import NOW
from timerex_ghl.adapters.ghl.webhooks.signatures import GHL_OLDER_WEBHOOK_KEY
from timerex_ghl.domain.connections.settings import (
    GHL_WEBHOOK_KEY,
    ActivitySettings,
    ConnectionSettings,
    PublishedConnection,
)
from timerex_ghl.domain.shared.models import ConnectionName

NAME = ConnectionName("aoba")


def publish(
    block: Connection, *, country: str | None = "JP", running: ConnectionSettings | None = None
) -> ConnectionSettings:
    version = running and PublishedConnection(version=1, settings=running, published_at=NOW)
    return settings_of(NAME, block, ghl_settings_of(block), country, version)


@pytest.mark.parametrize("credentials", [ghl(), oauth()], ids=["private-token", "oauth"])
def test_no_secret_is_published(credentials: Any) -> None:
    block = draft(
        ghl=credentials,
        timerex=timerex(previous_webhook_token=PREVIOUS_TOKEN, api_key="canary-api-key"),
    )

    text = publish(block).model_dump_json()

    assert "canary" not in text
    assert PRIVATE_TOKEN not in text


def test_the_blocks_are_named() -> None:
    settings = publish(draft())

    assert (settings.ghl.credentials, settings.timerex.credentials) == ("aoba-ghl", "aoba-timerex")


@pytest.mark.parametrize(("block", "auth"), [(ghl(), "private-token"), (oauth(), "oauth")])
def test_the_kind_of_credentials_is_published(block: Any, auth: str) -> None:
    assert publish(draft(ghl=block)).ghl.auth == auth


def test_the_endpoint_is_made_once_and_kept() -> None:
    first = publish(draft())
    second = publish(draft(poll_minutes=7), running=first)

    assert len(first.timerex.endpoint) == 32
    assert second.timerex.endpoint == first.timerex.endpoint
    assert second.poll_minutes == 7


def test_every_connection_has_a_endpoint_of_its_own() -> None:
    assert publish(draft()).timerex.endpoint != publish(draft()).timerex.endpoint


def test_tokens_are_digested_the_previous_one_too() -> None:
    block = draft(timerex=timerex(webhook_token=f" {TOKEN}\n", previous_webhook_token=""))
    rotating = draft(timerex=timerex(previous_webhook_token=PREVIOUS_TOKEN))

    new, old = (sha256(token.encode()).hexdigest() for token in (TOKEN, PREVIOUS_TOKEN))
    assert publish(block).timerex.token_digests == (new,)
    assert publish(rotating).timerex.token_digests == (new, old)


@pytest.mark.parametrize(
    ("region", "country", "published"),
    [("", "JP", "JP"), ("gb", "JP", "GB"), (" ", "jp", "JP"), ("", None, "US")],
)
def test_the_region_comes_from_the_location(
    region: str, country: str | None, published: str
) -> None:
    assert publish(draft(region=region), country=country).region == published


def test_tags_are_lower_case_and_empty_ones_none() -> None:
    settings = publish(draft(booked_tag=" TimeRex Booked ", cancelled_tag="  "))

    assert (settings.booked_tag, settings.cancelled_tag) == ("timerex booked", None)


def test_without_a_word_notes_and_tasks_are_kept_the_same_as_the_settings_say() -> None:
    assert publish(draft()).activities == ActivitySettings()


def test_how_notes_and_tasks_are_kept_the_same_is_published() -> None:
    chosen = ActivitySettings(
        mirrors=False,
        rule="ask",
        most_deletes=7,
        most_deletes_percent=8,
        note_calls_per_hour=9,
        task_minutes=10,
    )
    fields = chosen.model_dump(exclude={"mirrors", "rule"})

    settings = publish(draft(mirror_activities=False, activity_rule="ask", **fields))

    assert settings.activities == chosen


@pytest.mark.parametrize("field", BOUNDS)
def test_what_a_draft_allows_can_be_published(field: str) -> None:
    for value in BOUNDS[field]:
        assert f"{value}" in publish(draft(**{field: value})).model_dump_json()


def test_what_was_pasted_is_trimmed() -> None:
    block = draft(
        location_id=" ve9EPM428h8vShlRW1KT ",
        ghl=ghl(base_url="https://ghl.example/", app_url="https://app.example//", scopes=" a  b "),
        timerex=timerex(webhook_header=" X-TimeRex-Authorization "),
    )

    settings = publish(block)

    assert settings.ghl.location_id == "ve9EPM428h8vShlRW1KT"
    assert settings.ghl.base_url == "https://ghl.example"
    assert settings.ghl.app_url == "https://app.example"
    assert settings.ghl.scopes == {"a", "b"}
    assert settings.timerex.header == "x-timerex-authorization"


@pytest.mark.parametrize(("rate_limit", "calls"), [(True, 100), (False, None)])
def test_rate_limit_becomes_a_ceiling(rate_limit: bool, calls: int | None) -> None:  # noqa: FBT001  a parametrized value
    assert publish(draft(rate_limit=rate_limit)).ghl.calls_per_10_s == calls


@pytest.mark.parametrize(
    ("entered", "auth"),
    [
        ({}, "none"),
        ({"api_key": "a1" * 32}, "api-key"),
        ({"client_id": "app", "client_secret": "canary", "refresh_token": "canary"}, "oauth"),
    ],
)
def test_the_way_into_timerex_is_published_and_no_secret(entered: Any, auth: str) -> None:
    settings = publish(draft(timerex=timerex(**entered), rate_limit=False)).timerex

    assert (settings.auth, settings.rate_limited) == (auth, False)
    assert not {"a1" * 32, "canary"} & set(settings.model_dump_json().split('"'))


def test_ghls_own_key_is_published_unless_others_are_entered() -> None:
    other = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    framed = f"-----BEGIN PUBLIC KEY-----\n{other}\n-----END PUBLIC KEY-----\n{GHL_WEBHOOK_KEY}"

    assert publish(draft()).ghl.webhook_keys == (GHL_WEBHOOK_KEY,)
    both = draft(ghl=ghl(webhook_public_keys=framed))
    assert faults_of(NAME, both) == []
    assert publish(both).ghl.webhook_keys == (other, GHL_WEBHOOK_KEY)


def test_the_retired_signature_is_accepted_only_where_it_is_switched_on() -> None:
    assert publish(draft()).ghl.older_webhook_keys == ()
    on = draft(ghl=ghl(older_signature=True))
    assert publish(on).ghl.older_webhook_keys == (GHL_OLDER_WEBHOOK_KEY,)


def test_an_oauth_app_is_known_by_the_part_before_the_dash_and_a_token_has_none() -> None:
    assert publish(draft(ghl=oauth(client_id=" 66f0c0ffee-m0abc-d "))).ghl.app_id == "66f0c0ffee"
    assert publish(draft()).ghl.app_id is None

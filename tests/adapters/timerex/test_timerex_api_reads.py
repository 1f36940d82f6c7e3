"""No log line contains personal data or credentials of a call to TimeRex."""

import logging

import pytest

from tests.adapters.timerex.api_world import ApiWorld
from timerex_ghl.domain.shared.errors import CredentialsError


async def test_logs_report_no_key_no_token_and_no_person(
    api: ApiWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = api.by_key()
    made = await client.create_one_time_url(api.calendar_id)
    event_id = await api.book()
    await client.get_event(event_id)
    await client.watch_one_time_url(
        made.id, token="canary-token", notification_url="https://aoba.example/canary"
    )
    with pytest.raises(CredentialsError):
        await api.by_key("canary" * 10).get_event(event_id)

    local = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("httpcore")
    )

    assert f"/events/{event_id}" in local
    for secret in ("canary", api.info.timerex.api_key, made.url, "482913", "host_cancel"):
        assert secret.lower() not in local.lower()

"""Prefect stores no personal values and no secrets: searched after every flow has run."""

from uuid import uuid4

from prefect.events import Event, Resource

from tests.flows.conftest import Engine
from tests.flows.live_worker import until


async def test_no_personal_value_and_no_secret_reached_prefect(engine: Engine) -> None:
    sandbox = engine.stage.sandbox
    await until_history_is_written(engine)
    people = [
        "hinode.example", "umi.example", "kumo.example", "kana.mori", "noa.hart",
        "Hinode", "Abe-Lind", "Leo Stone", "Mei Umi", "8190123456", "090-1234-56",
        "Something came up", "Narashino", "Kakogawa",
        "mirror.example", "Met at the fair", "Send the offer", "Called, no answer",
    ]  # fmt: skip
    secrets = [
        sandbox.ghl["refresh_token"],
        sandbox.ghl["client_secret"],
        sandbox.ghl["access_token"],
        sandbox.ghl["private_token"],
        sandbox.timerex["webhook_token"],
        sandbox.timerex["api_key"],
        (engine.folder / "key").read_text().strip(),
    ]
    # The sandbox prints its own tokens when it starts: that is intended.
    files = [path for path in engine.folder.rglob("*") if path.is_file()]
    kept = [path for path in files if not path.name.startswith(("ledger.db", "sandbox.log", "key"))]
    history = b"".join(path.read_bytes() for path in kept if path.name.startswith("prefect.db"))
    assert b"booking-to-crm" in history, "the search would find what is there"

    leaks = [
        (path.name, planted)
        for path in kept
        for planted in [*people, *secrets]
        if planted.encode() in path.read_bytes()
    ]

    assert leaks == []


async def until_history_is_written(engine: Engine) -> None:
    """Wait until Prefect has stored an event that comes after all others."""
    name = f"end-of-the-tests-{uuid4()}"
    event = Event(event=name, resource=Resource({"prefect.resource.id": name}))
    await engine.api.send("POST", "/events", [event.model_dump(mode="json")])

    async def stored() -> bool | None:
        wanted = {"filter": {"event": {"name": [name]}}}
        return bool((await engine.api.send("POST", "/events/filter", wanted))["events"]) or None

    await until(stored, "the end of the history")

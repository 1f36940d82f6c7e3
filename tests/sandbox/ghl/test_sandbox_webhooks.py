"""GHL's webhooks: events, signatures and retries."""

import base64
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.receiver import open_receiver
from tests.sandbox.calling import SandboxCaller
from tests.sandbox.ghl.ghl_delivering import ENDPOINT, GhlApp

TASK = {"title": "Call", "body": "Ask", "dueDate": "2030-01-07T10:00:00Z", "completed": False}


@pytest.fixture
async def app(sandbox: SandboxCaller) -> AsyncIterator[GhlApp]:
    async with open_receiver() as endpoint:
        url = endpoint.url(ENDPOINT)
        keys = await sandbox.control("POST", "/ghl/webhook", url=url, pause_s=0.02)
        yield GhlApp(sandbox, endpoint, keys["public_key"])


async def test_without_a_url_nothing_is_reported(sandbox: SandboxCaller) -> None:
    await sandbox.create(firstName="Riku")

    assert (await sandbox.control("GET", "/ghl/deliveries"))["deliveries"] == []


async def test_a_new_contact_is_sent_flat_and_signed(app: GhlApp) -> None:
    contact = await app.sandbox.create(
        firstName="Riku", email="riku@hinode.example", tags=["vip"], city="Osaka"
    )

    (delivery,) = await app.wait_for_states("delivered")
    (body,) = app.endpoint.bodies
    assert body["type"] == "ContactCreate"
    assert (body["id"], body["locationId"]) == (contact["id"], app.sandbox.location_id)
    assert (body["email"], body["city"], body["tags"]) == ("riku@hinode.example", "Osaka", ["vip"])
    assert body["webhookId"] == delivery["webhook_id"]
    assert {"timestamp", "appId", "versionId"} < body.keys()
    assert app.is_signed()


async def test_the_key_it_signs_with_is_the_one_it_prints(app: GhlApp) -> None:
    assert app.sandbox.info.ghl.webhook_public_key == app.key


async def test_every_change_reports_what_the_vendor_reports_and_no_more(app: GhlApp) -> None:
    ghl, contact = app.sandbox.ghl, await app.sandbox.create(firstName="Riku")
    path = f"/contacts/{contact['id']}"

    await ghl("PUT", path, {"city": "Osaka", "tags": ["a"]})
    await ghl("POST", f"{path}/tags", {"tags": ["a"]})  # has it
    await ghl("POST", f"{path}/tags", {"tags": ["b"]})
    note = (await ghl("POST", f"{path}/notes", {"body": "Hello"})).json()["note"]
    await ghl("PUT", f"{path}/notes/{note['id']}", {"body": "Bye"})
    await ghl("DELETE", f"{path}/notes/{note['id']}")
    task = (await ghl("POST", f"{path}/tasks", TASK)).json()["task"]
    await ghl("PUT", f"{path}/tasks/{task['id']}", {"title": "Write"})  # no TaskUpdate is known
    done = {"completed": True}
    await ghl("PUT", f"{path}/tasks/{task['id']}/completed", done)
    await ghl("PUT", f"{path}/tasks/{task['id']}/completed", done)
    await ghl("DELETE", f"{path}/tasks/{task['id']}")
    await ghl("DELETE", path)

    deliveries = await app.wait_for_states(*["delivered"] * 11)
    assert [one["type"] for one in deliveries] == [
        "ContactCreate", "ContactUpdate", "ContactTagUpdate", "ContactTagUpdate",
        "NoteCreate", "NoteUpdate", "NoteDelete",
        "TaskCreate", "TaskComplete", "TaskDelete", "ContactDelete",
    ]  # fmt: skip


async def test_a_person_in_the_crm_is_reported_as_any_other(app: GhlApp) -> None:
    made = await app.control("POST", "/contacts", firstName="Yui")
    contact_id = made["contact"]["id"]

    await app.control("PATCH", f"/contacts/{contact_id}", city="Kobe")
    await app.control("DELETE", f"/contacts/{contact_id}")

    deliveries = await app.wait_for_states(*["delivered"] * 3)
    assert [one["type"] for one in deliveries] == [
        "ContactCreate",
        "ContactUpdate",
        "ContactDelete",
    ]


async def test_a_task_may_be_reported_without_its_contact(app: GhlApp) -> None:
    await app.set_webhook(task_create_without_contact=True)
    contact = await app.sandbox.create(firstName="Riku")

    await app.sandbox.ghl("POST", f"/contacts/{contact['id']}/tasks", TASK)

    await app.wait_for_states("delivered", "delivered")
    body = next(one for one in app.endpoint.bodies if one["type"] == "TaskCreate")
    assert body["title"] == "Call"
    assert not {"contactId", "body"} & body.keys()


async def test_a_429_is_tried_again_with_the_same_bytes(app: GhlApp) -> None:
    app.endpoint.statuses = [429, 429]

    await app.emit()

    (delivery,) = await app.wait_for_states("delivered")
    assert [one["status"] for one in delivery["tries"]] == [429, 429, 200]
    assert len({*app.endpoint.raw}) == 1
    assert len({app.endpoint.headers(number)["deliveryid"] for number in range(3)}) == 1


@pytest.mark.parametrize("status", [302, 400, 401, 500, 503])
async def test_no_other_failure_is_tried_again(app: GhlApp, status: int) -> None:
    app.endpoint.statuses = [status]

    await app.emit()

    (delivery,) = await app.wait_for_states("failed")
    assert [one["status"] for one in delivery["tries"]] == [status]


async def test_a_429_is_given_up_after_some_tries(app: GhlApp) -> None:
    await app.set_webhook(tries=3)
    app.endpoint.statuses = [429] * 9

    await app.emit()

    (delivery,) = await app.wait_for_states("failed")
    assert len(delivery["tries"]) == 3


async def test_by_a_switch_every_failure_is_tried_again(app: GhlApp) -> None:
    await app.set_webhook(retry="every")
    app.endpoint.statuses = [500, 401]

    await app.emit()

    (delivery,) = await app.wait_for_states("delivered")
    assert [one["status"] for one in delivery["tries"]] == [500, 401, 200]


async def test_another_key_signs_from_now_on(app: GhlApp) -> None:
    keys = await app.control("POST", "/webhook/key")

    await app.emit()

    await app.wait_for_states("delivered")
    assert not app.is_signed()
    app.key = keys["public_key"]
    assert app.is_signed()


async def test_the_older_signature_comes_on_request(app: GhlApp) -> None:
    keys = await app.set_webhook(older_signature=True)

    await app.emit()

    await app.wait_for_states("delivered")
    older = load_pem_public_key(keys["older_public_key"].encode())
    assert isinstance(older, RSAPublicKey)
    shown = base64.b64decode(app.endpoint.headers()["x-wh-signature"])
    older.verify(shown, app.endpoint.raw[-1], PKCS1v15(), SHA256())
    assert app.is_signed()


async def test_an_uninstall_is_reported_and_ends_the_tokens(app: GhlApp) -> None:
    await app.control("POST", "/uninstall")

    (delivery,) = await app.wait_for_states("delivered")
    info = app.sandbox.info.ghl
    answer = await app.sandbox.ghl(
        "GET", f"/locations/{app.sandbox.location_id}", token=info.access_token
    )
    assert delivery["type"] == "UNINSTALL"
    assert answer.status_code == 401
    assert not (await app.sandbox.refresh(info.refresh_token)).is_success

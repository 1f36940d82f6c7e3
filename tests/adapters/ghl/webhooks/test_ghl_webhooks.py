"""Deliveries as the vendor publishes them.

The samples are in the folder of `TIMEREX_GHL_VENDOR_WEBHOOKS`, else in
`../shared/ghl/webhooks` beside the checkout.
"""

import json
import os
from pathlib import Path

import pytest

from tests.paths import VENDOR
from timerex_ghl.adapters.ghl.webhooks.deliveries import RECORD_OF, read_delivery
from timerex_ghl.adapters.malformed import MalformedError

BESIDE = VENDOR / "webhooks"


def samples_or_skip() -> list[Path]:
    folder = Path(os.environ.get("TIMEREX_GHL_VENDOR_WEBHOOKS") or BESIDE)
    if not folder.is_dir():
        pytest.skip(f"the vendor's webhook samples are missing: no folder {folder}")
    files = [*folder.glob("*.json"), *folder.glob("variants/*.json")]
    return [file for file in sorted(files) if file.name != "manifest.json"]


def test_every_published_sample_is_read() -> None:
    files = samples_or_skip()

    for file in files:
        published = json.loads(file.read_bytes())
        read = read_delivery(file.read_bytes())
        assert read.type == published["type"], file.name
        assert bool(read.record) == (read.type in RECORD_OF), file.name
        assert read.location_id == published.get("locationId", read.location_id), file.name
    assert len(files) > 50


@pytest.mark.parametrize(
    ("body", "record"),
    [
        ({"type": "ContactTagUpdate", "id": "c1"}, "ghl:c1"),
        ({"type": "ContactDelete", "id": "c1"}, "ghl:c1"),
        ({"type": "INSTALL"}, "location"),
        ({"type": "UNINSTALL"}, "location"),
        ({"type": "NoteUpdate", "id": "n1"}, "ghl-note:n1"),
        ({"type": "TaskCreate", "id": "t1"}, "ghl-task:t1"),
        ({"type": "OpportunityCreate", "id": "o1"}, ""),
        ({"type": "AppointmentCreate", "appointment": {"id": "a1"}}, "ghl-appointment:a1"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else None,  # pyright: ignore[reportUnknownLambdaType]
)
def test_a_type_says_which_record_it_is_about(body: dict[str, object], record: str) -> None:
    assert str(read_delivery(json.dumps(body).encode()).record or "") == record


def test_an_invoice_names_its_location_otherwise() -> None:
    assert read_delivery(b'{"type": "I", "altId": "l", "altType": "location"}').location_id == "l"
    assert read_delivery(b'{"type": "I", "altId": "l", "altType": "company"}').location_id is None


def test_the_webhook_id_reports_repetitions_and_without_it_the_bytes_do() -> None:
    keys = [
        read_delivery(body).dedupe_key
        for body in (
            b'{"type": "A", "webhookId": "w"}',
            b'{"type": "A", "webhookId": "w", "retry": 1}',
            b'{"type": "A"}',
            b'{"type":"A"}',
        )
    ]

    assert keys[0] == keys[1] == "webhook:w"
    assert len({*keys}) == 3


@pytest.mark.parametrize(
    "body",
    [
        b'{"type": "ContactUpdate"}',
        b'{"type": "ContactUpdate", "id": "canary canary"}',
        b'{"type": "A", "webhookId": "canary\\n"}',
        b'{"type": "A", "locationId": 7}',
        b'{"type": "A", "timestamp": "canary"}',
        b"canary",
    ],
)
def test_a_refusal_reports_nothing_of_the_delivery(body: bytes) -> None:
    with pytest.raises(MalformedError, match=r"^delivery refused: ") as refused:
        read_delivery(body)

    assert "canary" not in str(refused.value)

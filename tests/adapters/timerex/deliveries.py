"""Deliveries for tests: the two documented ones, and a minimal booking."""

import copy
import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"
CONFIRMED = json.loads((SAMPLES / "confirmed.json").read_text(encoding="utf-8"))
CANCELLED = json.loads((SAMPLES / "cancelled.json").read_text(encoding="utf-8"))
LEAST = {
    "webhook_type": "event_confirmed",
    "event": {
        "id": "7",
        "start_datetime": "2026-02-10T01:00:00+00:00",
        "end_datetime": "2026-02-10T01:30:00+00:00",
    },
}


def body_of(sample: dict[str, Any], **event: Any) -> bytes:
    changed = copy.deepcopy(sample)
    changed["event"].update(event)
    return json.dumps(changed).encode()

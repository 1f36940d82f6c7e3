"""A row of every table as the first revision had them, in the very text that was stored then.

Nothing here is made by the modules of today: these rows stay what they are while the modules move.
"""

from typing import Any

from timerex_ghl.adapters.ledger.secrets import SecretKey
from timerex_ghl.domain.models import ConnectionName

AOBA = ConnectionName("aoba")
AT_MS = 1_770_094_800_123
KEY = SecretKey("YSBrZXkgb2YgdGhlIGZpcnN0IGxlZGdlciwgMzIgYi4=")
ENDPOINT = "0123456789abcdef0123456789abcdef"
PEOPLE = '{"tags":["vip"],"values":{"email":"riku@hinode.example","first_name":"陸"}}'

_SETTINGS = """
{"name": "aoba",
 "ghl": {"location_id": "locAoba", "base_url": "https://services.leadconnectorhq.com",
         "token_url": "https://services.leadconnectorhq.com/oauth/token",
         "app_url": "https://app.gohighlevel.com", "credentials": "aoba-ghl",
         "auth": "private-token", "scopes": ["contacts.readonly"], "calls_per_10_s": 100},
 "timerex": {"credentials": "aoba-timerex", "door": "0123456789abcdef0123456789abcdef",
             "header": "x-timerex-authorization", "token_digests": ["d1"]},
 "region": "JP",
 "rules": [{"field": "email", "ghl": "email", "direction": "both", "conflict": "newest",
            "create_only": false, "empty_wipes": false, "answer_label": null}],
 "booked_tag": "timerex booked", "cancelled_tag": null, "poll_minutes": 5}
"""
_BOOKING = """
{"id": "b1", "state": "confirmed", "calendar_name": "Onboarding", "calendar_id": "cal1",
 "starts_at": "2026-02-10T01:00:00Z", "ends_at": "2026-02-10T01:30:00Z", "timezone": "Asia/Tokyo",
 "guest_name": "佐藤 陸", "guest_email": "riku@hinode.example",
 "guest_company": null, "guest_comment": null}
"""

ROWS: dict[str, dict[str, Any]] = {
    "audit": {
        "id": 7, "at": AT_MS, "connection": AOBA, "what": "connection published",
        "subject": "connection:aoba", "run_id": None, "detail": '{"version":1}',
    },
    "bookings": {
        "connection": AOBA, "id": "b1", "old_id": None, "new_id": None, "state": "confirmed",
        "contact_id": "c_1", "starts_at": AT_MS, "verified": True, "body": _BOOKING,
        "updated_at": AT_MS,
    },
    "contacts": {
        "connection": AOBA, "id": "c_1", "version": 3, "contact": PEOPLE,
        "email_key": "riku@hinode.example", "phone_key": None, "created_at": AT_MS,
        "updated_at": AT_MS, "deleted": False,
    },
    "cursors": {"connection": AOBA, "name": "ghl-contacts", "value": '{"was_full":true}'},
    "ghl_contacts": {
        "connection": AOBA, "id": "riku1", "location_id": "locAoba",
        "body": '{"tags":null,"values":{"firstName":"陸"}}', "email_key": "riku@hinode.example",
        "phone_key": None, "digest": "d1", "updated_at": AT_MS, "read_at": AT_MS,
    },
    "inbox": {
        "seq": 41, "id": "e_1", "connection": AOBA, "source": "timerex",
        "type": "event_confirmed", "dedupe_key": "b1", "body": '{"id": "予約"}',
        "received_at": AT_MS, "state": "waiting", "attempts": 2, "next_at": AT_MS,
        "error": "an outage", "resolved_at": None,
    },
    "intents": {
        "id": "i_1", "connection": AOBA, "record_key": "contact:c_1", "kind": "contact.update",
        "digest": "d1", "payload": '{"kind":"contact.update"}', "state": "open", "run_id": "run-1",
        "created_at": AT_MS, "closed_at": None, "result_id": None, "error": None,
        "recovered": False,
    },
    "links": {
        "connection": AOBA, "kind": "contact", "local_id": "c_1", "remote_id": "riku1",
        "local_version": 3, "remote_updated_at": AT_MS, "written_at": None, "base": PEOPLE,
        "digest": "d1",
    },
    "locks": {"name": "contact:c_1", "holder": None, "number": 12, "expires_at": None},
    "previews": {
        "connection": AOBA, "record_key": "contact:c_1", "run_id": "run-1",
        "plan": '{"to_ghl":[]}', "made_at": AT_MS,
    },
    "published_connections": {
        "connection": AOBA, "version": 4, "settings": _SETTINGS, "door": ENDPOINT, "runs": True,
        "published_at": AT_MS, "published_by": "kana",
    },
    "quota": {
        "location_id": "locAoba", "slots": "[4102444800000]", "paused_until": None, "today": 150_001,
        "today_ends_at": 4_102_444_800_000,
    },
    "reviews": {
        "id": "r_1", "connection": AOBA, "kind": "conflict", "subject": "contact:c_1",
        "reason": "both sides changed city", "detail": '{"people":["c_1"]}', "seen": "3",
        "opened_at": AT_MS, "resolved_at": None, "resolved_by": None, "decision": None,
    },
    "tokens": {
        "key": "app:locAoba", "version": 9, "access": None, "refresh": KEY.encrypt("seed-canary"),
        "expires_at": None, "scopes": "contacts.readonly", "seed_digest": "d1 d2",
        "in_doubt_since": None, "state": "ok",
    },
}  # fmt: skip

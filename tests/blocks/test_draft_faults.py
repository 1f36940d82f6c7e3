"""All faults of a draft are reported at once, one exact line each."""

from typing import Any

import pytest

from blocks import Connection, GHLCredentials, TimeRexCredentials
from blocks.draft import faults_of, refuse
from tests.blocks.drafts import draft, ghl, mapping, oauth, timerex
from timerex_ghl.adapters.ghl.webhooks.signatures import GHL_OLDER_WEBHOOK_KEY
from timerex_ghl.domain.connections.rule_check import check_rules
from timerex_ghl.domain.connections.settings import GHL_WEBHOOK_KEY
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName

NAME = ConnectionName("aoba")
NOT_SAVED = "save the credentials as a block of their own, and choose it"
THREE = "enter it, an OAuth app needs all three"
KEYS = "enter GHL's Ed25519 public key, in base64"
LINE = "write TimeRex calendar = id of the GHL calendar"
HTTPS = "enter an address that begins with https://"


@pytest.mark.parametrize(
    "good",
    [
        draft(),
        draft(ghl=oauth()),
        draft(region="jp", poll_minutes=1),
        draft(poll_minutes=1440, location_id=" ve9EPM428h8vShlRW1KT "),
        draft(mirror_activities=False, activity_rule="ask", note_calls_per_hour=0),
        draft(most_deletes=100_000, most_deletes_percent=100, task_minutes=1440),
        draft(ghl=ghl(base_url="http://127.0.0.1:8123/ghl", token_url="http://localhost/x")),
        draft(ghl=ghl(client_secret="", refresh_token=" ", client_id="")),
        draft(timerex=timerex(previous_webhook_token="")),
        draft(timerex=timerex(api_key=" " + "a1" * 32)),
        draft(calendars="Call = 2 people = k2AbC9dEf0\n\n * = k2AbC9dEf1;"),
        draft(cancel_in_timerex=True, timerex=timerex(api_key="a1" * 32)),
        draft(timerex=timerex(client_id="app", client_secret="x", refresh_token="y")),
    ],
)
def test_a_good_draft_has_no_faults(good: Connection) -> None:
    assert faults_of(NAME, good) == []


@pytest.mark.parametrize("name", ["Aoba", "-aoba", "aoba-", "a" * 41, "", "aoba/x", "aoba\n"])
def test_a_name_that_cannot_be_used(name: str) -> None:
    assert faults_of(ConnectionName(name), draft()) == [
        "name: use a-z, 0-9 and dashes, 40 characters at most"
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"location_id": "https://app.gohighlevel.com/location/x"},
         "location_id: enter the part after /location/ in the address of GHL"),
        ({"region": "Japan"},
         "region: enter a country's two letters, for example JP, or leave it empty"),
        ({"poll_minutes": 0}, "poll_minutes: enter 1 to 1440"),
        ({"poll_minutes": 1441}, "poll_minutes: enter 1 to 1440"),
        ({"most_deletes": 0}, "most_deletes: enter 1 to 100000"),
        ({"most_deletes_percent": 0}, "most_deletes_percent: enter 1 to 100"),
        ({"most_deletes_percent": 101}, "most_deletes_percent: enter 1 to 100"),
        ({"note_calls_per_hour": -1}, "note_calls_per_hour: enter 0 to 36000"),
        ({"note_calls_per_hour": 36_001}, "note_calls_per_hour: enter 0 to 36000"),
        ({"task_minutes": 0}, "task_minutes: enter 1 to 1440"),
        ({"task_minutes": 1441}, "task_minutes: enter 1 to 1440"),
        ({"calendars": "Call"}, f"calendars, line 1: {LINE}"),
        ({"calendars": "Call = k2AbC9dEf0\n = k2AbC9dEf0"}, f"calendars, line 2: {LINE}"),
        ({"calendars": "Call = k2 AbC9dEf0"}, f"calendars, line 1: {LINE}"),
        ({"calendars": "* = k2AbC9dEf0; Call = k2AbC9dEf0"},
         "calendars, line 2: an earlier line has this calendar already"),
        ({"cancel_in_timerex": True},
         "cancel_in_timerex: enter TimeRex's API key too, or switch it off"),
        ({"ghl": ghl(private_token=" ")},
         "ghl: enter a private integration token, or an OAuth app"),
        ({"ghl": oauth(client_id='')}, f"ghl.client_id: {THREE}"),
        ({"ghl": oauth(client_secret='')}, f"ghl.client_secret: {THREE}"),
        ({"ghl": oauth(refresh_token="")}, f"ghl.refresh_token: {THREE}"),
        ({"ghl": ghl(scopes=" ")}, "ghl.scopes: enter what the private token may do"),
        ({"ghl": oauth(private_token="pit-x")},
         "ghl: enter a private token or an OAuth app, not both"),
        ({"ghl": ghl(base_url="http://ghl.example")}, f"ghl.base_url: {HTTPS}"),
        ({"ghl": ghl(token_url="http://localhost.evil.example/")}, f"ghl.token_url: {HTTPS}"),
        ({"ghl": ghl(token_url="http://localhost:1@evil.example/")}, f"ghl.token_url: {HTTPS}"),
        ({"ghl": ghl(app_url="")}, f"ghl.app_url: {HTTPS}"),
        ({"ghl": ghl(webhook_public_keys=" ")}, f"ghl.webhook_public_keys: {KEYS}"),
        ({"ghl": ghl(webhook_public_keys=f"{GHL_WEBHOOK_KEY} x")},
         f"ghl.webhook_public_keys: {KEYS}"),
        ({"ghl": ghl(webhook_public_keys=GHL_OLDER_WEBHOOK_KEY)},
         f"ghl.webhook_public_keys: {KEYS}"),
        ({"ghl": GHLCredentials.model_validate({"private_token": "pit-x"})}, f"ghl: {NOT_SAVED}"),
        ({"timerex": timerex(webhook_token="a" * 31)},
         "timerex.webhook_token: enter at least 32 characters"),
        ({"timerex": timerex(previous_webhook_token="short")},
         "timerex.previous_webhook_token: enter at least 32 characters"),
        ({"timerex": timerex(webhook_header="x: y")},
         "timerex.webhook_header: enter a header's name, as TimeRex shows it"),
        ({"timerex": timerex(api_key="a" * 63)},
         "timerex.api_key: enter the 64 letters and digits that TimeRex shows"),
        ({"timerex": timerex(client_id="app", refresh_token="y")},
         f"timerex.client_secret: {THREE}"),
        ({"timerex": timerex(api_key="a1" * 32, client_id="app")},
         "timerex: enter an API key or an OAuth app, not both"),
        ({"timerex": timerex(base_url="http://timerex.example")}, f"timerex.base_url: {HTTPS}"),
        ({"timerex": timerex(token_url="timerex.example")}, f"timerex.token_url: {HTTPS}"),
        ({"timerex": TimeRexCredentials.model_validate({"webhook_token": "a" * 32})},
         f"timerex: {NOT_SAVED}"),
    ],
)  # fmt: skip
def test_each_fault_is_one_line(changes: dict[str, Any], fault: str) -> None:
    assert faults_of(NAME, draft(**changes)) == [fault]


def test_an_empty_draft_is_reported_everything_at_once() -> None:
    empty = Connection.model_validate(
        {"location_id": "", "ghl": {}, "timerex": {"webhook_header": ""}, "poll_minutes": 0}
    )

    faults = faults_of(ConnectionName(""), empty)

    assert [fault.partition(":")[0] for fault in faults] == [
        "name", "location_id", "poll_minutes", "ghl", "ghl",
        "timerex.webhook_token", "timerex.webhook_header", "timerex",
    ]  # fmt: skip


def test_a_refusal_is_a_list() -> None:
    with pytest.raises(SettingsError, match=r"\Anot published:\n- one\n- two\Z"):
        refuse(["one", "two"])


def test_nothing_wrong_is_not_refused() -> None:
    refuse([])


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"field": "frist_name", "ghl": "firstName"},
         ("frist_name: no such field here; enter first_name or last_name, "
          "or custom.<key> for one of your own")),
        ({"field": "city", "ghl": "citty"},
         "city: GHL has no field 'citty'; enter city, or customFields.<id>"),
        ({"field": "custom.size", "ghl": "customFields.Ab12Cd34Ef"},
         "custom.size: the location has no custom field 'Ab12Cd34Ef'; enter Ab12Cd34Eg"),
    ],
)  # fmt: skip
def test_a_misspelled_field_comes_with_a_suggestion(rule: dict[str, Any], fault: str) -> None:
    rules = draft(mapping=mapping(rule)).rules()

    assert fault in check_rules(rules, {"Ab12Cd34Eg"})

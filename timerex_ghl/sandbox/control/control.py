"""The control API: what tests, demos and checkers can do to a running sandbox.

Bearer token, JSON. `timerex-ghl sandbox --json` prints its address and token.

TimeRex
    POST /timerex/webhook {url, header?, token?, retry_pause_s?, timeout_s?}: where deliveries go
    POST /timerex/bookings {guest_name, guest_email, guest_company?, guest_comment?, starts_at,
        duration_min?, answers?: [{field_type, label, value}], url_params?: {}, calendar_id?}
        -> {event_id}
    POST /timerex/bookings/{id}/cancel {reason?}
    POST /timerex/bookings/{id}/reschedule {starts_at, cancelled_first?} -> {event_id}
    /timerex/deliveries..., /timerex/webhook/faults: see below; a delivery has its {event_id}
    POST /timerex/one_time_urls/{id}/book: as POST /timerex/bookings, through a one-time URL

TimeRex, as its operator
    POST /timerex/calendars {name, duration_min?, questions?: [{field_type, label, required?,
        options?}], team_id?} -> {calendar_id, url, question_ids}
    /timerex/calls, /timerex/faults: see below
    POST /timerex/limits {minute?, hour?, day?, minute_ms?, enabled?}
    POST /timerex/settings {login_redirect?, lists_cancelled?}: a bad key is answered by a login
        page; a calendar's list shows cancelled events
    POST /timerex/tokens {scopes?} -> {access_token, refresh_token}
    POST /timerex/codes {scopes?} -> {code, redirect_uri}: for grant_type authorization_code
    POST /timerex/oauth {expires_in_s}; POST /timerex/expire_access

GHL, as a person in the CRM: no token, no limits; `dateUpdated` moves
    GET /ghl/contacts -> {contacts}: whole, with notes, tasks and tags
    POST /ghl/contacts {firstName, tags, customFields, additionalEmails, additionalPhones,
        type, ...} -> {contact}
    PATCH and DELETE /ghl/contacts/{id}
    POST /ghl/contacts/{id}/merge {into} -> {contact}: merges it into that one, with notes,
        tasks and appointments, and deletes it
    POST /ghl/contacts/{id}/restore -> {contact}: restores a deleted one with notes and tasks
    POST /ghl/contacts/{id}/notes {body} -> {note}
    POST /ghl/custom_fields {name, dataType} -> {customField}
    POST /ghl/bulk {count, seed?} -> {created}: invented people, the same for the same seed
    POST, PUT and DELETE /ghl/person/{path of the API}: the same operation, not logged and without
        faults: /ghl/person/contacts/{id}/tasks, /ghl/person/calendars/events/appointments/{id}

GHL, as its operator
    /ghl/calls, /ghl/faults: see below
    POST /ghl/limits {max?, window_ms?, daily?, enabled?}
    POST /ghl/settings {allow_duplicates?, unique_identifiers?, country?, timezone?,
        search_lag_ms?, clock_offset_ms?, clock_step_ms?}: search and task search lag by the first,
        GET does not; contacts get a wrong `dateUpdated`: later by the second, in whole steps
    POST /ghl/calendars {name, opens?} -> {calendar}: of all users, 9 to 18 each day, or without
        hours
    POST /ghl/users {name, email} -> {user}
    POST /ghl/tokens {kind?: private | oauth | agency, scopes?, location_id?}
        -> {access_token}, and {refresh_token} of an OAuth install
    POST /ghl/codes {scopes?, location_id?} -> {code}: for grant_type authorization_code
    POST /ghl/expire_access: expires all OAuth access tokens issued so far
    POST /ghl/oauth {expires_in_s?, repeat_s?}: an access token's life, a refresh's repeat

GHL, webhooks of its OAuth app; `appId` is the client's id up to its `-`
    POST /ghl/webhook {url?, retry?: 429 | every, tries?, pause_s?, timeout_s?, older_signature?,
        task_create_without_contact?} -> {public_key, older_public_key?}: without a url, none
    POST /ghl/webhook/key -> {public_key}: signs with a new key from now on
    POST /ghl/install; POST /ghl/uninstall: uninstalling ends all OAuth tokens
    POST /ghl/deliveries {type, fields? | text?}: a signed event made by hand, or this exact text
    /ghl/deliveries..., /ghl/webhook/faults: see below; a delivery has its {webhook_id}

Calls of either, {side} is ghl or timerex
    GET /{side}/calls ?since=&limit=&operation= -> {calls: [{operation, method, path, status, time,
        at_ms, took_ms, cpu_ms, fault, keys}], next, forgotten}: from number `since` on; `keys` are
        those of the body. DELETE clears the log
    GET /{side}/calls/counts -> {operations: {}, statuses: {}, calls, forgotten}
    POST /{side}/faults {operation, kind, value?, headers?, WHICH}; DELETE removes all. `*` is any
        operation. Not executed: status, html, login_redirect, drop_before_commit. Executed:
        status_after_commit, delay_after_commit, drop_after_commit, truncate, drip, headers. Late:
        delay. Old state: stale (GHL's records by id). `value` is a status or milliseconds; a
        status_after_commit of 4xx is the service's own refusal, of 5xx a proxy's page. `headers`
        change those of the answer, null removes one

Deliveries of either
    GET /{side}/deliveries ?state=&type= -> {deliveries: [{id, type, state, created_at, tries,
        faults}], forgotten}; GET /{side}/deliveries/{id} -> {body}: as text
    GET /{side}/deliveries/counts -> {states: {}}
    POST /{side}/deliveries/{id}/repeat {copies?, forgery?}: the same bytes again
    POST /{side}/deliveries/release {order?: same | reversed | shuffled, seed?} -> {released}
    POST /{side}/webhook/faults {type?, kind, value?, WHICH}; DELETE removes all. Kinds: copies,
        delay, shuffle (waits up to `value` ms), pause, drop, and the forgeries unsigned,
        bad_signature, other_key, other_header, not_available, changed_body, rewritten_body

WHICH is {nth?, every?, share?, seed?, times?, for_s?}: the nth from now on, then every n-th,
of these a share; at most `times` hits or for `for_s`. Once, unless every, share or for_s is given.
"""

import secrets

from pydantic import ValidationError
from starlette.requests import Request
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from timerex_ghl.sandbox.control.control_calls import call_routes
from timerex_ghl.sandbox.control.control_deliveries import delivery_routes
from timerex_ghl.sandbox.control.control_ghl import ghl_routes
from timerex_ghl.sandbox.control.control_ghl_webhook import ghl_webhook_routes
from timerex_ghl.sandbox.control.control_people import people_routes
from timerex_ghl.sandbox.control.control_requests import reply
from timerex_ghl.sandbox.control.control_timerex import timerex_routes
from timerex_ghl.sandbox.control.control_timerex_api import timerex_api_routes
from timerex_ghl.sandbox.core.answers import RefusalError
from timerex_ghl.sandbox.ghl.ghl_state import Ghl
from timerex_ghl.sandbox.timerex.timerex_state import Timerex


class Guarded:
    """Refuses calls without the control token, and formats errors."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        given = Request(scope).headers.get("authorization", "").encode()
        if not secrets.compare_digest(given, self.expected):
            await reply(401, message="the control token is missing or wrong")(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except RefusalError as refusal:
            await reply(refusal.status, message=refusal.message)(scope, receive, send)
        except ValidationError as error:
            await reply(422, message=_in_one_line(error))(scope, receive, send)


def _in_one_line(error: ValidationError) -> str:
    """Describe a validation error without the input."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    places = (".".join(map(str, fault["loc"])) for fault in faults)
    return "; ".join(
        f"{place}: {fault['msg']}" if place else fault["msg"]
        for place, fault in zip(places, faults, strict=True)
    )


def control_app(ghl: Ghl, timerex: Timerex, token: str) -> ASGIApp:
    """Make the control API."""
    routes = [
        *timerex_routes(timerex),
        *timerex_api_routes(timerex),
        *delivery_routes(timerex.deliveries, "/timerex"),
        *call_routes(timerex.calls, "/timerex"),
        *call_routes(ghl.calls, "/ghl"),
        *people_routes(ghl),
        *ghl_routes(ghl),
        *ghl_webhook_routes(ghl),
        *delivery_routes(ghl.deliveries, "/ghl"),
    ]
    return Guarded(Router(routes, redirect_slashes=False), token)

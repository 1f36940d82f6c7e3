"""The control API: what tests, demos and checkers may do to a running sandbox.

Bearer token, JSON. `timerex-ghl sandbox --json` prints its address and token.

TimeRex
    POST /timerex/webhook {url, header?, token?, retry_pause_s?, timeout_s?}: where deliveries go
    POST /timerex/bookings {guest_name, guest_email, guest_company?, guest_comment?, starts_at,
        duration_min?, answers?: [{field_type, label, value}], url_params?: {}} -> {event_id}
    POST /timerex/bookings/{id}/cancel {reason?}
    POST /timerex/bookings/{id}/reschedule {starts_at, cancelled_first?} -> {event_id}
    GET /timerex/deliveries -> {deliveries: [{id, event_id, type, state, created_at, tries}]}
    POST /timerex/deliveries/{id}/repeat: the same bytes again

GHL, as a person in the CRM: no token, no limits; `dateUpdated` moves
    GET /ghl/contacts -> {contacts}: whole, with notes, tasks and tags
    POST /ghl/contacts {firstName, tags, customFields, additionalEmails, type, ...} -> {contact}
    PATCH and DELETE /ghl/contacts/{id}
    POST /ghl/contacts/{id}/notes {body} -> {note}
    POST /ghl/custom_fields {name, dataType} -> {customField}
    POST /ghl/bulk {count, seed?} -> {created}: invented people, alike for the same seed

GHL, as its operator
    GET and DELETE /ghl/calls -> {calls: [{operation, method, path, status, time, at_ms, cpu_ms,
        fault, keys}]}: `keys` are those of the body
    POST /ghl/limits {max?, window_ms?, daily?, enabled?}
    POST /ghl/settings {allow_duplicates?, unique_identifiers?, country?, timezone?}
    POST /ghl/tokens {kind?: private | oauth | agency, scopes?, location_id?}
        -> {access_token}, and {refresh_token} of an OAuth install
    POST /ghl/codes {scopes?, location_id?} -> {code}: for grant_type authorization_code
    POST /ghl/expire_access: the OAuth access tokens handed out so far are refused from now on
    POST /ghl/oauth {expires_in_s?, repeat_s?}: an access token's life, a refresh's repeat
    POST /ghl/faults {operation, nth?, kind: status | delay | drop_after_commit | truncate, value?}:
        the nth matching call from now goes wrong, once; `*` is any operation; DELETE forgets all
"""

import secrets

from pydantic import ValidationError
from starlette.requests import Request
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from timerex_ghl.sandbox.answers import RefusalError
from timerex_ghl.sandbox.control_ghl import ghl_routes
from timerex_ghl.sandbox.control_people import people_routes
from timerex_ghl.sandbox.control_requests import reply
from timerex_ghl.sandbox.control_timerex import timerex_routes
from timerex_ghl.sandbox.state import Ghl
from timerex_ghl.sandbox.timerex import Timerex


class Guarded:
    """Lets nobody through without the control token, and writes refusals."""

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
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            await reply(422, message=faults)(scope, receive, send)


def control_app(ghl: Ghl, timerex: Timerex, token: str) -> ASGIApp:
    """Make the control API."""
    routes = [*timerex_routes(timerex), *people_routes(ghl), *ghl_routes(ghl)]
    return Guarded(Router(routes, redirect_slashes=False), token)

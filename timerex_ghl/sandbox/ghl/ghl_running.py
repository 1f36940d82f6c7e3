"""Run an operation: store the earlier state, and send its events."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import cast

from timerex_ghl.sandbox.core.answers import ApiAnswer
from timerex_ghl.sandbox.core.json_io import Json
from timerex_ghl.sandbox.ghl.delivery import ghl_events
from timerex_ghl.sandbox.ghl.operations import PassedCall, VendorOperation


def perform(operation: VendorOperation, call: PassedCall) -> ApiAnswer:
    """Run an operation."""
    if operation.method == "GET":
        return operation.run(call)
    for contact_id in _contact_ids(call):
        if contact_id in call.ghl.contacts.by_id:
            call.ghl.past.keep(contact_id, call.ghl.contacts.by_id[contact_id])
    event_id = call.path.get("eventId", "")
    if event_id in call.ghl.appointments:
        call.ghl.past.keep(event_id, call.ghl.appointments[event_id])
    answer = ghl_events.run(operation, call)
    for its_id in _made_ids(operation, answer.body):
        call.ghl.past.keep(its_id, None)
    return answer


def perform_as_before(operation: VendorOperation, call: PassedCall, ago_ms: int) -> ApiAnswer:
    """Run a read of one record against its state, notes and tasks `ago_ms` ago."""
    ghl = call.ghl
    with ExitStack() as shown:
        for store, name in ((ghl.contacts.by_id, "contactId"), (ghl.appointments, "eventId")):
            if name in call.path:
                shown.enter_context(ghl.past.shown(store, call.path[name], ago_ms))
        return operation.run(call)


def _contact_ids(call: PassedCall) -> Iterator[str]:
    """Yield the contacts that a call can change; its body is not checked yet."""
    yield call.path.get("contactId", "")
    for key in ("email", "phone"):
        value = call.body.get(key)
        if isinstance(value, str):
            yield from (contact.id for contact in call.ghl.contacts.find(key, value))
    for key in ("contacts", "ids"):
        ids = call.body.get(key)
        if isinstance(ids, list):
            yield from (its_id for its_id in cast("list[object]", ids) if isinstance(its_id, str))


def _made_ids(operation: VendorOperation, answer: Json) -> Iterable[str]:
    match operation.id:
        case "create-contact":
            return (answer["contact"]["id"],)
        case "upsert-contact" if answer["new"]:
            return (answer["contact"]["id"],)
        case "create-appointment":
            return (answer["id"],)
        case _:
            return ()

"""Prefect automations as code: which alerts are sent, and when."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

PREFIX = "timerex-ghl: "
"""Prefix of our automations' names; no other automation is ever changed."""

TAG = "timerex-ghl"
"""The tag of all our deployments."""

WAITING_TOO_LONG = "timerex-ghl.waiting-too-long"
"""The event of the flow `watch`; its resource is `timerex-ghl.connection.<name>`."""

WEBHOOKS_SILENT = "timerex-ghl.webhooks-silent"
"""The event for silent webhooks: polls find changes that no webhook reported. Same resource."""

QUOTA_USED = "timerex-ghl.quota-used"
"""The event of the flow `watch` when most of a day's calls are used. Same resource."""

ACCESS_ENDED = "timerex-ghl.access-ended"
"""The event of the flow `watch` when an app's tokens were revoked. Same resource."""

SERVICE_DOWN = "timerex-ghl.service-down"
"""The event of the flow `watch` when a service does not answer for minutes. Same resource."""

HEARTBEAT = timedelta(seconds=30)
"""Heartbeat interval of a flow run: Prefect's shortest. The workers' settings set it."""

SILENT_AFTER = 4 * HEARTBEAT
"""A run without a heartbeat for this long is dead."""

RUN = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
MANAGED_RUNS = ResourceSpecification(
    {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
)
CONNECTION = ResourceSpecification({"prefect.resource.id": "timerex-ghl.connection.*"})
ENDED = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
RUN_SUMMARY = (
    "{{ flow.name }}, run {{ flow_run.name }}: {{ flow_run.state.name }}.\n"
    "{{ flow_run.state.message }}\n{{ flow_run|ui_url }}"
)


DEAD: ActionTypes = ChangeFlowRunState(
    name=None,
    state=StateType.CRASHED,
    message="no heartbeat: the worker was stopped or killed",
    force=False,
)


def all_automations(block_id: UUID) -> list[AutomationCore]:
    """Define the automations that send alerts through a notification block.

    A failed run alerts once: each automation acts on one event of one run.
    """
    return [*_about_runs(block_id), *_about_events(block_id), *_about_access(block_id)]


def _about_runs(block_id: UUID) -> list[AutomationCore]:
    return [
        _notification(
            block_id,
            "a run failed",
            "A flow run failed or crashed. Its message says why.",
            trigger=_of_runs({"prefect.flow-run.Failed", "prefect.flow-run.Crashed"}),
            body=RUN_SUMMARY,
        ),
        _notification(
            block_id,
            "a review is open",
            "A run opened reviews. `timerex-ghl reviews list NAME` shows them.",
            trigger=_of_runs({"prefect.flow-run.NeedsReview"}),
            body=RUN_SUMMARY,
        ),
        AutomationCore(
            name=f"{PREFIX}a run is dead",
            description="A run sent no heartbeat for too long: its worker was killed. It is marked"
            " as crashed, which alerts as a failed run.",
            trigger=_silent(),
            actions=[DEAD],
        ),
    ]


def _about_events(block_id: UUID) -> list[AutomationCore]:
    return [
        _notification(
            block_id,
            "events wait too long",
            "The oldest pending event is older than the flow watch allows.",
            trigger=_of_connections(WAITING_TOO_LONG),
            body="{{ event.payload.connection }}: {{ event.payload.waiting }} events are"
            " pending, the oldest for {{ event.payload.minutes }} minutes. Is a worker running?",
        ),
        _notification(
            block_id,
            "a service does not answer",
            "GHL or TimeRex has not answered for minutes. Nothing is lost; all events wait.",
            trigger=_of_connections(SERVICE_DOWN),
            body="{{ event.payload.connection }}: {{ event.payload.service }} has not answered"
            " since {{ event.payload.since }}; {{ event.payload.waiting }} events wait. It is tried"
            " again every minute, and they go on by themselves.",
        ),
        _notification(
            block_id,
            "webhooks are silent",
            "Polls find changes that no webhook reported. Nothing is lost, but all is delayed.",
            trigger=_of_connections(WEBHOOKS_SILENT),
            body="{{ event.payload.connection }}: no webhook of {{ event.payload.service }}"
            " arrived for {{ event.payload.changes }} changes, the first"
            " {{ event.payload.minutes }} minutes ago. Check the webhook's URL and token, and the"
            " gateway.",
        ),
    ]


def _about_access(block_id: UUID) -> list[AutomationCore]:
    return [
        _notification(
            block_id,
            "the daily call budget runs low",
            "75 % or 90 % of a location's daily call budget is used.",
            trigger=_of_connections(QUOTA_USED),
            body="{{ event.payload.connection }}: {{ event.payload.percent }} % of the daily GHL"
            " call budget is used. When it is used up, nothing syncs until"
            " {{ event.payload.ends_at }}. Pause full runs, or other apps that call this location.",
        ),
        _notification(
            block_id,
            "access was revoked",
            "The tokens of an app were revoked: it was removed, or another program used them.",
            trigger=_of_connections(ACCESS_ENDED),
            body="{{ event.payload.connection }}: {{ event.payload.service }} revoked the tokens"
            " of our app. Nothing is written any more; the inbox keeps new events. If nobody"
            " removed the app, its refresh token was used elsewhere: find out where, and change"
            " the client secret. Then connect again and publish.",
        ),
    ]


def _of_connections(event: str) -> EventTrigger:
    return EventTrigger(
        expect={event},
        match=CONNECTION,
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )


def _of_runs(expect: set[str]) -> EventTrigger:
    return EventTrigger(
        expect=expect,
        match=RUN,
        match_related=MANAGED_RUNS,
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )


def _silent() -> EventTrigger:
    """Match a run that sent a heartbeat and then neither another one nor its end."""
    return EventTrigger(
        after={"prefect.flow-run.heartbeat"},
        expect={"prefect.flow-run.heartbeat", *ENDED},
        match=RUN,
        match_related=MANAGED_RUNS,
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=SILENT_AFTER,
    )


def _notification(
    block_id: UUID, name: str, description: str, *, trigger: EventTrigger, body: str
) -> AutomationCore:
    actions: Sequence[ActionTypes] = [
        SendNotification(block_document_id=block_id, subject=f"{PREFIX}{name}", body=body)
    ]
    return AutomationCore(
        name=f"{PREFIX}{name}", description=description, trigger=trigger, actions=[*actions]
    )


def is_managed(automation: Any) -> bool:
    """Return whether an automation is one of ours."""
    return str(automation.name).startswith(PREFIX)

"""Prefect automations as code: when people are told, and of what."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

PREFIX = "timerex-ghl: "
"""What the names of our automations begin with; no other automation is ever touched."""

TAG = "timerex-ghl"
"""What all our deployments are tagged with."""

WAITING_TOO_LONG = "timerex-ghl.waiting-too-long"
"""The event of the flow `watch`; its resource is `timerex-ghl.connection.<name>`."""

WEBHOOKS_SILENT = "timerex-ghl.webhooks-silent"
"""Another one, of the same resource: polls find what webhooks should have told."""

QUOTA_USED = "timerex-ghl.quota-used"
"""The event of the flow `watch` when most of a day's calls are made; its resource is as above."""

ACCESS_ENDED = "timerex-ghl.access-ended"
"""The event of the flow `watch` when an app's tokens were ended; its resource is as above."""

HEARTBEAT = timedelta(seconds=30)
"""How often a flow run says that it lives: Prefect's shortest. Shipped in the workers' settings."""

SILENT_AFTER = 4 * HEARTBEAT
"""A run that was silent for this long is dead."""

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
    message="no sign of life: the worker was stopped or killed",
    force=False,
)


def all_automations(block_id: UUID) -> list[AutomationCore]:
    """Say of what people are told through a notification block.

    A run that fails is told once: each automation acts on one event of one run.
    """
    return [*_about_runs(block_id), *_about_connections(block_id)]


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
            "somebody is needed",
            "A run set records aside. `timerex-ghl reviews list NAME` shows them.",
            trigger=_of_runs({"prefect.flow-run.NeedsReview"}),
            body=RUN_SUMMARY,
        ),
        AutomationCore(
            name=f"{PREFIX}a run is dead",
            description="A run was silent for too long: its worker was killed. It is marked as"
            " crashed, which is told as a run that failed.",
            trigger=_silent(),
            actions=[DEAD],
        ),
    ]


def _about_connections(block_id: UUID) -> list[AutomationCore]:
    return [
        _notification(
            block_id,
            "events wait too long",
            "The oldest event that waits is older than the flow watch was told to allow.",
            trigger=_of_connections(WAITING_TOO_LONG),
            body="{{ event.payload.connection }}: {{ event.payload.waiting }} events wait, the"
            " oldest for {{ event.payload.minutes }} minutes. Is a worker running?",
        ),
        _notification(
            block_id,
            "webhooks are silent",
            "Polls find changes of which no webhook tells. Nothing is lost, all is later.",
            trigger=_of_connections(WEBHOOKS_SILENT),
            body="{{ event.payload.connection }}: no webhook of {{ event.payload.service }} came"
            " for {{ event.payload.changes }} changes, the first {{ event.payload.minutes }}"
            " minutes ago. Look at the webhook's address and token, and at the gateway.",
        ),
        _notification(
            block_id,
            "the day's calls run out",
            "Three quarters, or nine tenths, of a location's calls of this day are made.",
            trigger=_of_connections(QUOTA_USED),
            body="{{ event.payload.connection }}: {{ event.payload.percent }} % of the calls that"
            " GHL allows a day are made. Once all are, nothing travels until"
            " {{ event.payload.ends_at }}. Pause full runs, or what else calls this location.",
        ),
        _notification(
            block_id,
            "access was ended",
            "The tokens of an app were ended: it was removed, or somebody else used them.",
            trigger=_of_connections(ACCESS_ENDED),
            body="{{ event.payload.connection }}: {{ event.payload.service }} ended the tokens of"
            " our app. Nothing is written any more; the inbox keeps what comes. If nobody removed"
            " the app, its refresh token was used elsewhere: find out by whom, and change the"
            " client secret. Then connect again and publish.",
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
    """Watch every run that has shown a sign of life, until the next one or its end."""
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
    """Tell whether an automation is one of these."""
    return str(automation.name).startswith(PREFIX)

"""Store the dry-run plans of notes, tasks and appointments. Their values stay in the ledger."""

from collections.abc import Mapping

from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans
from timerex_ghl.domain.shared.actions import ActivityPlan, DeleteActivity
from timerex_ghl.domain.shared.models import FieldName
from timerex_ghl.domain.shared.outcome import Outcome
from timerex_ghl.domain.shared.record_ref import RecordRef
from timerex_ghl.engine.context import SyncContext

NOTHING = Outcome(what="no-op")


async def show_plan(context: SyncContext, record: RecordRef, plan: ActivityPlan) -> Outcome:
    """Store a plan of what would be written where."""
    if not plan.to_ghl and not plan.to_workspace:
        return NOTHING
    await _keep(context, record, plan.model_dump(mode="json"))
    return Outcome(what="applied", writes=len(plan.to_ghl))


async def show_new(
    context: SyncContext, record: RecordRef, values: Mapping[FieldName, str | None]
) -> Outcome:
    """Store a plan of what would be added from GHL."""
    await _keep(context, record, {"to_workspace": {"values": dict(values)}})
    return Outcome(what="applied")


async def show_delete(
    context: SyncContext, record: RecordRef, action: DeleteActivity | None
) -> Outcome:
    """Store a plan of a delete: in GHL, or in the workspace where there is no action."""
    if action is None:
        await _keep(context, record, {"to_workspace": {"values": {"deleted": "true"}}})
        return Outcome(what="applied")
    await _keep(context, record, {"to_ghl": [action.model_dump(mode="json")]})
    return Outcome(what="applied", writes=1)


async def _keep(context: SyncContext, record: RecordRef, plan: dict[str, object]) -> None:
    await context.ledger.write(
        dry_run_plans.save_plan, context.connection, record, plan, context.now()
    )

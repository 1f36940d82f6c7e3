"""The standing differences of a connection, for the report of a run."""

from collections.abc import Collection

from timerex_ghl.adapters.ledger.tables.sync import differences
from timerex_ghl.adapters.ledger.tables.sync.differences import DifferingKind
from timerex_ghl.engine.context import SyncContext


async def read_differences(context: SyncContext, kinds: Collection[DifferingKind]) -> list[str]:
    """Count the fields that differ and stay so, in lines of Markdown; none where there are none."""
    counts = await context.ledger.read(
        differences.count_differences, context.connection, tuple(kinds)
    )
    if not counts:
        return []
    listed = [f"- {reason}: {number}" for reason, number in sorted(counts.items())]
    head = "Fields that differ on the two sides and stay so (see `timerex-ghl differences`):"
    return [head, "", *listed, ""]

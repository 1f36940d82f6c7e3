"""Indexes of the few rows that are open, set aside or pending, and of what retention deletes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes; that of open intents replaces the one of all intents."""
    op.drop_index("ix_intents_connection_record_key_state", "intents")
    op.create_index(
        "ix_intents_open", "intents", ["connection", "record_key"], **_where("state = 'open'")
    )
    op.create_index(
        "ix_inbox_set_aside",
        "inbox",
        ["connection", "record"],
        **_where("state IN ('dead', 'quarantined', 'review')"),
    )
    op.create_index(
        "ix_pending_deletes_unapplied",
        "pending_deletes",
        ["connection", "kind", "side"],
        **_where("state IN ('pending', 'released', 'kept')"),
    )
    op.drop_index("ix_intents_connection_created_at", "intents")
    op.create_index("ix_intents_created_at", "intents", ["created_at"])
    op.create_index(
        "ix_reviews_answered", "reviews", ["resolved_at"], **_where("decision <> 'drop'")
    )
    op.create_index("ix_dry_run_plans_made_at", "dry_run_plans", ["made_at"])


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}

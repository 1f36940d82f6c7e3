"""Events name their record, and the audit names the flow run: what the live path looks up by."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WAITS = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Add the columns, and the indexes that stay small because few events wait."""
    op.add_column("inbox", sa.Column("record", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "ix_inbox_waiting", "inbox", ["connection", "seq"],
        sqlite_where=_WAITS, postgresql_where=_WAITS,
    )  # fmt: skip
    op.create_index(
        "ix_inbox_waiting_record", "inbox", ["connection", "record"],
        sqlite_where=_WAITS, postgresql_where=_WAITS,
    )  # fmt: skip
    op.add_column("audit", sa.Column("flow_run_id", sa.Text()))
    op.create_index("ix_audit_subject", "audit", ["subject"])
    op.create_index("ix_audit_run_id", "audit", ["run_id"])
    op.create_index("ix_audit_flow_run_id", "audit", ["flow_run_id"])

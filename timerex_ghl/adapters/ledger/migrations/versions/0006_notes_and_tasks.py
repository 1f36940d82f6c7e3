"""Notes and tasks, deletes that wait, when GHL's records were last seen, calls behind live."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, a link's time in GHL, and the list of slots taken behind live work."""
    op.create_table(
        "activities",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text()),
        sa.Column("completed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "id", name="pk_activities"),
    )
    for column in ("contact_id", "task_id"):
        op.create_index(f"ix_activities_connection_{column}", "activities", ["connection", column])
    op.create_table(
        "pending_deletes",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("local_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("run_id", sa.Text()),
        sa.PrimaryKeyConstraint("connection", "kind", "local_id", name="pk_pending_deletes"),
    )
    op.create_index(
        "ix_pending_deletes_connection_kind_side_found_at",
        "pending_deletes",
        ["connection", "kind", "side", "found_at"],
    )
    op.add_column("links", sa.Column("read_at", sa.BigInteger()))
    op.create_index("ix_links_connection_kind_seen_at", "links", ["connection", "kind", "read_at"])
    op.add_column("quota", sa.Column("behind", sa.Text(), nullable=False, server_default="[]"))

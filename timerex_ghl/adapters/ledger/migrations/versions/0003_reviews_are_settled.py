"""Reviews are settled: pairs that a person keeps apart are remembered."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of pairs."""
    op.create_table(
        "kept_apart",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("ghl_id", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "contact_id", "ghl_id", name="pk_kept_apart"),
    )
    op.create_index("ix_kept_apart_connection_ghl_id", "kept_apart", ["connection", "ghl_id"])

"""Additional keys of GHL's contacts, and values that one side lacks on purpose."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables with their indexes."""
    op.create_table(
        "ghl_contact_keys",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("ghl_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "ghl_id", "kind", "key", name="pk_ghl_contact_keys"),
    )
    op.create_index(
        "ix_ghl_contact_keys_connection_kind_key",
        "ghl_contact_keys",
        ["connection", "kind", "key"],
    )
    op.create_table(
        "withheld_values",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ghl_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "contact_id", "field", name="pk_withheld_values"),
    )

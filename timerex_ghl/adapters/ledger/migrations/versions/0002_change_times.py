"""When each field of a contact was changed, on both sides. Unknown for older rows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("contacts", sa.Column("changed_at", sa.Text()))
    op.add_column("ghl_contacts", sa.Column("changed", sa.Text()))

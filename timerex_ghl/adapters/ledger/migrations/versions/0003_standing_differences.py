"""The fields in which a linked pair differs for good, with the rules that leave them so."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and an index of the few links that have them."""
    op.add_column("links", sa.Column("differences", sa.Text()))
    op.add_column("links", sa.Column("differences_version", sa.Integer()))
    op.create_index(
        "ix_links_differing",
        "links",
        ["connection", "kind", "local_id"],
        sqlite_where=sa.text("differences IS NOT NULL"),
        postgresql_where=sa.text("differences IS NOT NULL"),
    )

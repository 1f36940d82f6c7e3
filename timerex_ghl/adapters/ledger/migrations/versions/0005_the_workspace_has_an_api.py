"""The workspace has an API: tokens, answers to repeated requests, bookings with a version."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables. Bookings that are here already came from TimeRex."""
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("may_write", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("digest", name="uq_api_tokens_digest"),
    )
    op.create_table(
        "api_answers",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "key", name="pk_api_answers"),
    )
    op.create_index("ix_api_answers_kept_at", "api_answers", ["kept_at"])
    version = sa.Column("version", sa.Integer(), nullable=False, server_default="1")
    origin = sa.Column("origin", sa.Text(), nullable=False, server_default="timerex")
    deleted = sa.Column("deleted", sa.Boolean(), nullable=False, server_default=sa.false())
    for column in (version, origin, deleted):
        op.add_column("bookings", column)
    op.create_index(
        "ix_bookings_connection_starts_at", "bookings", ["connection", "starts_at", "id"]
    )

"""Every table of the ledger, and triggers that make the audit append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REASON = "the audit is append-only"


def upgrade() -> None:
    """Create the tables with their indexes, and the audit's triggers."""
    _create_activities()
    _create_api_answers()
    _create_api_tokens()
    _create_audit()
    _create_bookings()
    _create_contacts()
    _create_cursors()
    _create_dry_run_plans()
    _create_ghl_contacts()
    _create_inbox()
    _create_intents()
    _create_kept_apart()
    _create_links()
    _create_locks()
    _create_pending_deletes()
    _create_published_connections()
    _create_quota()
    _create_reviews()
    _create_tokens()
    if op.get_bind().dialect.name == "postgresql":
        _guard_audit_on_postgresql()
    else:
        _guard_audit_on_sqlite()


def _create_activities() -> None:
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
    op.create_index(
        "ix_activities_connection_contact_id", "activities", ["connection", "contact_id"]
    )
    op.create_index("ix_activities_connection_task_id", "activities", ["connection", "task_id"])


def _create_api_answers() -> None:
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


def _create_api_tokens() -> None:
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


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("flow_run_id", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_connection_id", "audit", ["connection", "id"])
    op.create_index("ix_audit_flow_run_id", "audit", ["flow_run_id"])
    op.create_index("ix_audit_run_id", "audit", ["run_id"])
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _create_bookings() -> None:
    op.create_table(
        "bookings",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("old_id", sa.Text()),
        sa.Column("new_id", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text()),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "id", name="pk_bookings"),
    )
    op.create_index("ix_bookings_connection_contact_id", "bookings", ["connection", "contact_id"])
    op.create_index("ix_bookings_connection_new_id", "bookings", ["connection", "new_id"])
    op.create_index("ix_bookings_connection_old_id", "bookings", ["connection", "old_id"])
    op.create_index(
        "ix_bookings_connection_starts_at", "bookings", ["connection", "starts_at", "id"]
    )


def _create_contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text()),
        sa.Column("phone_key", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "id", name="pk_contacts"),
    )
    op.create_index("ix_contacts_connection_email_key", "contacts", ["connection", "email_key"])
    op.create_index("ix_contacts_connection_phone_key", "contacts", ["connection", "phone_key"])


def _create_cursors() -> None:
    op.create_table(
        "cursors",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "name", name="pk_cursors"),
    )


def _create_dry_run_plans() -> None:
    op.create_table(
        "dry_run_plans",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "record_key", name="pk_dry_run_plans"),
    )


def _create_ghl_contacts() -> None:
    op.create_table(
        "ghl_contacts",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text()),
        sa.Column("phone_key", sa.Text()),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger()),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "id", name="pk_ghl_contacts"),
    )
    op.create_index(
        "ix_ghl_contacts_connection_email_key", "ghl_contacts", ["connection", "email_key"]
    )
    op.create_index(
        "ix_ghl_contacts_connection_phone_key", "ghl_contacts", ["connection", "phone_key"]
    )


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("seq", _SERIAL, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_inbox"),
        sa.UniqueConstraint(
            "connection", "source", "dedupe_key", name="uq_inbox_connection_source_dedupe_key"
        ),
        sa.UniqueConstraint("id", name="uq_inbox_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_connection_state_seq", "inbox", ["connection", "state", "seq"])
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["connection", "seq"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_inbox_waiting_record",
        "inbox",
        ["connection", "record"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _create_intents() -> None:
    op.create_table(
        "intents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("result_id", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_intents"),
    )
    op.create_index("ix_intents_connection_created_at", "intents", ["connection", "created_at"])
    op.create_index(
        "ix_intents_connection_record_key_state", "intents", ["connection", "record_key", "state"]
    )


def _create_kept_apart() -> None:
    op.create_table(
        "kept_apart",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("ghl_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "contact_id", "ghl_id", name="pk_kept_apart"),
    )
    op.create_index("ix_kept_apart_connection_ghl_id", "kept_apart", ["connection", "ghl_id"])


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("local_id", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("local_version", sa.Integer()),
        sa.Column("written_at", sa.BigInteger()),
        sa.Column("base", sa.Text()),
        sa.Column("digest", sa.Text()),
        sa.Column("checked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("connection", "kind", "local_id", name="pk_links"),
        sa.UniqueConstraint(
            "connection", "kind", "remote_id", name="uq_links_connection_kind_remote_id"
        ),
    )
    op.create_index(
        "ix_links_connection_kind_checked_at", "links", ["connection", "kind", "checked_at"]
    )


def _create_locks() -> None:
    op.create_table(
        "locks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text()),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name="pk_locks"),
    )


def _create_pending_deletes() -> None:
    op.create_table(
        "pending_deletes",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("local_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "local_id", name="pk_pending_deletes"),
    )
    op.create_index(
        "ix_pending_deletes_connection_kind_side_found_at",
        "pending_deletes",
        ["connection", "kind", "side", "found_at"],
    )


def _create_published_connections() -> None:
    op.create_table(
        "published_connections",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("runs", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "version", name="pk_published_connections"),
    )
    op.create_index(
        "uq_published_connections_running_endpoint",
        "published_connections",
        ["endpoint"],
        unique=True,
        sqlite_where=sa.text("runs"),
        postgresql_where=sa.text("runs"),
    )


def _create_quota() -> None:
    op.create_table(
        "quota",
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("slots", sa.Text(), nullable=False),
        sa.Column("behind", sa.Text(), nullable=False),
        sa.Column("paused_until", sa.BigInteger()),
        sa.Column("today", sa.Integer(), nullable=False),
        sa.Column("today_ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("location_id", name="pk_quota"),
    )


def _create_reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("record_state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("resolved_by", sa.Text()),
        sa.Column("decision", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_connection_subject", "reviews", ["connection", "subject"])
    op.create_index(
        "uq_reviews_open",
        "reviews",
        ["connection", "kind", "subject"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("access", sa.LargeBinary()),
        sa.Column("refresh", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("seed_digest", sa.Text(), nullable=False),
        sa.Column("in_doubt_since", sa.BigInteger()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_tokens"),
    )


def _guard_audit_on_sqlite() -> None:
    for moment in (
        "update BEFORE UPDATE ON audit",
        "delete BEFORE DELETE ON audit",
        # INSERT OR REPLACE removes a row without firing the trigger above
        "replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)",
    ):
        op.execute(f"CREATE TRIGGER audit_no_{moment} BEGIN SELECT RAISE(ABORT, '{_REASON}'); END")


def _guard_audit_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REASON}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )

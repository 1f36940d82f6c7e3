"""A ledger with a long history: many rows in each table that grows, and statistics about them."""

from collections.abc import Mapping

from sqlalchemy import Connection, insert, literal, literal_column, select, text

from timerex_ghl.adapters.ledger.db.schema import metadata

NOW_MS = 1_750_000_000_000

_BOOKING = (
    """'{"id":"b_OF' || i || '","state":"confirmed","calendar_name":"Call","calendar_id":"k1",'"""
    """ || '"starts_at":"2026-02-10T01:00:00Z","ends_at":"2026-02-10T01:30:00Z",'"""
    """ || '"timezone":"Asia/Tokyo","guest_name":"Riku","guest_email":"riku@hinode.example",'"""
    """ || '"guest_company":"Hinode","guest_comment":"","host_names":["Hana"]}'"""
)
_CONTACT = """'{"tags":[],"values":{"email":"OF' || i || '@hinode.example"}}'"""
_EMAIL = "'OF' || i || '@hinode.example'"
_PHONE = "'+8180' || (10000000 + i)"
_SOURCE = "CASE i % 3 WHEN 0 THEN 'ghl' WHEN 1 THEN 'timerex' ELSE 'workspace' END"
_TIME = f"{NOW_MS} + i"

TABLES: Mapping[str, Mapping[str, str]] = {
    "contacts": {
        "id": "'c_OF' || i", "version": "1", "contact": _CONTACT, "email_key": _EMAIL,
        "phone_key": _PHONE, "created_at": _TIME, "updated_at": _TIME, "deleted": "i < 0",
    },
    "ghl_contacts": {
        "id": "'g_OF' || i", "location_id": "'loc'", "body": _CONTACT, "email_key": _EMAIL,
        "phone_key": _PHONE, "digest": "'d' || i", "updated_at": _TIME, "read_at": _TIME,
    },
    "ghl_contact_keys": {
        "ghl_id": "'g_OF' || i", "kind": "CASE i % 2 WHEN 0 THEN 'email' ELSE 'phone' END",
        "key": "'more' || i",
    },
    "links": {
        "kind": "'contact'", "local_id": "'c_OF' || i", "remote_id": "'g_OF' || i",
        "local_version": "1", "base": _CONTACT, "digest": "'d' || i", "checked_at": _TIME,
    },
    "links of bookings": {
        "kind": "'appointment'", "local_id": "'b_OF' || i", "remote_id": "'a_OF' || i",
        "checked_at": _TIME,
    },
    "links of booking notes": {
        "kind": "'booking-note'", "local_id": "'b_OF' || i", "remote_id": "'bn_OF' || i",
        "checked_at": _TIME,
    },
    "links of tasks": {
        "kind": "'task'", "local_id": "'t_OF' || i", "remote_id": "'gt_OF' || i",
        "local_version": "1", "checked_at": _TIME,
    },
    "links of notes": {
        "kind": "'note'", "local_id": "'n_OF' || i", "remote_id": "'gn_OF' || i",
        "local_version": "1", "base": _CONTACT, "checked_at": _TIME,
    },
    "withheld_values": {
        "contact_id": "'c_OF' || i", "field": "'phone'", "key": _PHONE, "ghl_id": "'g_OF' || i",
    },
    "kept_apart": {"contact_id": "'c_OF' || i", "ghl_id": "'g_OF' || (i + 1)"},
    "bookings": {
        "id": "'b_OF' || i", "old_id": "'b_old_OF' || i", "new_id": "'b_new_OF' || i",
        "state": "'confirmed'", "contact_id": "'c_OF' || i", "starts_at": _TIME,
        "verified": "i > 0", "body": _BOOKING, "version": "1", "origin": "'timerex'",
        "deleted": "i < 0",
    },
    "activities": {
        "kind": "'note'", "id": "'n_OF' || i", "contact_id": "'c_OF' || i",
        "fields": """'{"body":"Hello"}'""", "task_id": "'t_OF' || i", "completed": "i < 0",
        "version": "1", "created_at": _TIME, "updated_at": _TIME, "deleted": "i < 0",
    },
    "activities that are tasks": {
        "kind": "'task'", "id": "'t_OF' || i", "contact_id": "'c_OF' || i",
        "fields": """'{"title":"Call back"}'""", "completed": "i < 0",
        "version": "1", "created_at": _TIME, "updated_at": _TIME, "deleted": "i < 0",
    },
    "pending_deletes": {
        "kind": "'note'", "local_id": "'n_gone_OF' || i", "side": "'ghl'", "state": "'done'",
        "found_at": _TIME,
    },
    "discarded_edits": {
        "kind": "'note'", "id": "'n_gone_OF' || i", "contact_id": "'c_OF' || i",
        "deleted_in": "'ghl'", "edited": "'{}'", "before": "'{}'", "discarded_at": _TIME,
    },
    "intents": {
        "id": "'i_OF' || i", "record_key": "'contact:c_OF' || i", "kind": "'contact.update'",
        "payload": "'{}'", "state": "'done'", "created_at": _TIME, "recovered": "i < 0",
    },
    "reviews": {
        "id": "'r_OF' || i", "kind": "'refused'", "subject": "'contact:c_OF' || i",
        "reason": "'refused'", "detail": "'{}'", "record_state": "'0'", "opened_at": _TIME,
        "resolved_at": _TIME, "resolved_by": "'anna'", "decision": "'retry'",
    },
    "inbox": {
        "id": "'e_OF' || i",
        "source": _SOURCE, "origin": "'webhook'", "type": "'ContactUpdate'",
        "dedupe_key": "'k' || i", "body": "'{}'", "received_at": _TIME,
        "state": "CASE WHEN i % 20 = 0 THEN 'dead' ELSE 'applied' END",
        "attempts": "0", "finished_at": _TIME, "record": "'ghl:g_OF' || i",
    },
    "audit": {
        "at": _TIME, "what": "'contact changed'", "subject": "'contact:c_OF' || i",
        "detail": "'{}'", "run_id": "'run' || i", "flow_run_id": "'flow' || i",
    },
    "dry_run_plans": {
        "record_key": "'contact:c_OF' || i", "plan": "'{}'", "made_at": _TIME,
    },
}  # fmt: skip
"""Each column's SQL expression of the row's number `i`; `OF` becomes the connection's name."""

WITHOUT_CONNECTION: Mapping[str, Mapping[str, str]] = {
    "locks": {"name": "'free lock ' || i", "number": "1"},
    "api_answers": {
        "token_id": "'t'", "key": "'k' || i", "request_digest": "'d'", "record_id": "'c_1'",
        "version": "1", "body": "'{}'", "kept_at": _TIME,
    },
}  # fmt: skip

SMALL: Mapping[str, str] = {
    "api_tokens": "one row a token that a person made",
    "cursors": "a few rows a connection",
    "outages": "one row a service that does not answer",
    "published_connections": "one row a published version",
    "quota": "one row a location",
    "tokens": "one row a credential",
}
"""Tables that stay small, each with its reason: reading all of one costs nothing."""

LARGE = frozenset(name.partition(" ")[0] for name in (*TABLES, *WITHOUT_CONNECTION))


def fill(tx: Connection, connection: str, rows: int) -> None:
    """Add rows about one connection to each table that grows."""
    for name, columns in TABLES.items():
        table = name.partition(" ")[0]
        given = {column: of.replace("OF", connection) for column, of in columns.items()}
        _add(tx, table, {"connection": f"'{connection}'", **given}, rows)


def fill_shared(tx: Connection, rows: int) -> None:
    """Add rows to the tables that belong to no connection."""
    for table, columns in WITHOUT_CONNECTION.items():
        _add(tx, table, columns, rows)


def analyze(tx: Connection) -> None:
    """Collect the statistics that the planner uses, as PostgreSQL does by itself."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("ANALYZE"))


def _add(tx: Connection, table: str, columns: Mapping[str, str], rows: int) -> None:
    numbers = select(literal(1).label("i")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.i + 1).where(numbers.c.i < rows))
    values = select(*map(literal_column, columns.values())).select_from(numbers)
    tx.execute(insert(metadata.tables[table]).from_select([*columns], values))

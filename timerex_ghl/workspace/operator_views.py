"""Views for operators: open reviews, and the plans of dry runs.

The output can contain personal values: it is for a terminal, never for Prefect.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.contacts import ghl_contacts, workspace_contacts
from timerex_ghl.adapters.ledger.tables.operations import dry_run_plans, published, reviews
from timerex_ghl.adapters.ledger.tables.operations.reviews import Review
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.configuration import default_ledger_url
from timerex_ghl.domain.reviews.review_decisions import Way, ways_of
from timerex_ghl.domain.shared.actions import Conflict
from timerex_ghl.domain.shared.errors import SettingsError
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, GhlContactId, Value
from timerex_ghl.domain.shared.record_ref import RecordRef

RECENT = timedelta(days=7)
"""Older plans are outdated and not listed."""


async def list_reviews(url: str | None, connection: str) -> list[str]:
    """List open reviews, oldest first."""
    async with _opened(url, connection) as (ledger, name):
        waiting = await ledger.read(reviews.open_reviews, name)
    return [
        f"{review.id}  {review.opened_at:%Y-%m-%d %H:%M}  {review.kind}  {review.subject}"
        f"  {review.reason}"
        for review in waiting
    ]


async def show_review(url: str | None, connection: str, review_id: str) -> list[str]:
    """Describe a review in full: the values of both sides, links, and commands to resolve it."""
    async with _opened(url, connection) as (ledger, name):
        return await ledger.read(_describe, name, review_id)


def _describe(tx: Connection, connection: ConnectionName, review_id: str) -> list[str]:
    review = reviews.get_review(tx, review_id)
    if review is None or review.connection != connection:
        raise SettingsError(f"{connection} has no review {review_id}: see reviews list")
    ends = f"resolved: {review.decision}, by {review.resolved_by}" if review.resolved_at else "open"
    lines = [
        f"review   {review.id}, {ends}",
        f"kind     {review.kind}",
        f"record   {review.subject}",
        f"reason   {review.reason}",
        f"since    {review.opened_at:%Y-%m-%d %H:%M} UTC",
        *_asked(review),
        *_others(tx, review),
        *_people(tx, review),
    ]
    return lines if review.resolved_at else [*lines, *_ways(review)]


def _asked(review: Review) -> Iterator[str]:
    """Yield the conflicting values."""
    if review.kind == "conflict":
        conflict = Conflict.model_validate(review.detail)
        yield f"local    {_text(conflict.workspace)}"
        yield f"in GHL   {_text(conflict.ghl)}"
        yield f"agreed   {_text(conflict.base)}"


def _others(tx: Connection, review: Review) -> Iterator[str]:
    """Yield other open reviews of the same record: one command can resolve them all."""
    for other in reviews.open_reviews(tx, review.connection):
        if other.id != review.id and other.subject.record == review.subject.record:
            yield f"also     {other.id}  {other.kind}  {other.subject}"


def _people(tx: Connection, review: Review) -> Iterator[str]:
    """Yield the contacts a review is about: workspace rows, and GHL contacts as last read."""
    kind, record_id = review.subject.kind, review.subject.id
    own_ids = [*([record_id] if kind == "contact" else []), *review.detail.get("people", [])]
    linked = links.links_of_locals(tx, review.connection, "contact", own_ids)
    ghl_ids = [
        *([record_id] if kind == "ghl" else []),
        *(link.remote_id for link in linked.values()),
        *review.detail.get("ghl_ids", []),
    ]
    for contact_id in dict.fromkeys(own_ids):
        row = workspace_contacts.get_contact(tx, review.connection, ContactId(contact_id))
        if row is not None:
            yield f"person   {contact_id}  {_values(row.contact.values)}"
    version = published.current(tx, review.connection)
    snapshots = ghl_contacts.get_snapshots(
        tx, review.connection, [GhlContactId(i) for i in ghl_ids]
    )
    for ghl_id in dict.fromkeys(ghl_ids):
        known = snapshots.get(GhlContactId(ghl_id))
        yield f"in GHL   {ghl_id}  {_values(known.contact.values) if known else 'not read yet'}"
        if version is not None:
            yield f"open     {version.settings.ghl.contact_url(ghl_id)}"


OPTIONS: dict[Way, tuple[str, ...]] = {
    Way.KEEP: ("--keep workspace|ghl", "--field NAME=workspace|ghl", "--value NAME=VALUE"),
    Way.LINK: ("--link ID",),
    Way.APART: ("--apart",),
    Way.DROP: ("--drop",),
    Way.RETRY: ("--retry",),
}
"""Command-line options of each decision."""


def _ways(review: Review) -> Iterator[str]:
    """Yield the commands that can resolve a review."""
    for way in ways_of(review.kind, review.subject):
        options = OPTIONS[way]
        if way is Way.KEEP and review.kind != "conflict":
            options = options[-1:]  # no conflict, so no values to choose from
        for option in options:
            yield f"resolve  timerex-ghl reviews resolve {review.connection} {review.id} {option}"


def _text(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False) if value else "nothing"


def _values(values: Mapping[Any, Value]) -> str:
    filled = {name: value for name, value in values.items() if value}
    return json.dumps(filled, ensure_ascii=False)


async def list_plans(url: str | None, connection: str) -> list[str]:
    """List what the latest dry runs would write, one line of JSON per record."""
    async with _opened(url, connection) as (ledger, name):
        since = await ledger.read(clock.now) - RECENT
        plans = await ledger.read(dry_run_plans.read_plans, name, since)
    return [*_lines(plans)]


def _lines(plans: dict[RecordRef, dict[str, Any]]) -> Iterator[str]:
    for record, plan in plans.items():
        shown = {key: value for key, value in plan.items() if key != "base" and value}
        yield json.dumps({"record": str(record), **shown}, ensure_ascii=False)


@asynccontextmanager
async def _opened(
    url: str | None, connection: str
) -> AsyncGenerator[tuple[Ledger, ConnectionName]]:
    name = ConnectionName(connection)
    async with open_ledger(url or default_ledger_url()) as ledger:
        if await ledger.read(published.current, name) is None:
            raise SettingsError(f"connection {name} is not published: run timerex-ghl publish")
        yield ledger, name

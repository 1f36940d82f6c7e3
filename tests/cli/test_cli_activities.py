"""`timerex-ghl notes`, `tasks`, `deletes` and `differences`, on the command line."""

import asyncio
import getpass
import json
from datetime import UTC, datetime

import pytest

from tests import make
from tests.cli.typed import add_riku, call, last_audited, made
from tests.gateway.given import NAME, publish, settings_with
from timerex_ghl.adapters.ledger.db import clock
from timerex_ghl.adapters.ledger.db.core import Ledger, open_ledger
from timerex_ghl.adapters.ledger.tables.activities import (
    activities,
    discarded_edits,
    pending_deletes,
)
from timerex_ghl.adapters.ledger.tables.activities.pending_deletes import FoundDelete
from timerex_ghl.adapters.ledger.tables.sync import links
from timerex_ghl.adapters.ledger.tables.sync.links import Link
from timerex_ghl.domain.activities.activity_fields import TEXT, ActivityId, ActivityKey
from timerex_ghl.domain.activities.discarded_edit import DiscardedEdit
from timerex_ghl.domain.shared.actions import StandingDifference
from timerex_ghl.domain.shared.models import ConnectionName, ContactId, FieldName

DUE = "2026-02-10T10:00+09:00"


@pytest.fixture
def url(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TIMEREX_GHL_LEDGER", sqlite_url)
    return sqlite_url


@pytest.fixture
def riku(url: str) -> ContactId:
    return add_riku(url)


def test_a_note_is_added_shown_edited_listed_and_deleted(riku: ContactId) -> None:
    note = made("notes", "add", "--contact", riku, "--text", "Likes tea")
    id_ = note["id"]

    edited = call("notes", "edit", id_, "--text", "Likes coffee\nand tea")
    shown = call("notes", "show", id_)
    listed = call("notes", "list")
    deleted = call("notes", "delete", id_)

    assert (note["text"], note["version"], note["contact_id"]) == ("Likes tea", 1, riku)
    assert edited.output == f"{id_} is at version 2\n"
    assert shown.output.startswith(f"id          {id_}\n")
    assert "text        Likes coffee\nand tea\n" in shown.output
    assert listed.output == f"{id_}  v2  {riku}  Likes coffee and tea\n"
    assert deleted.output == f"{id_} is deleted\n"
    assert call("notes", "list").output == "no note found\n"
    assert call("notes", "list", "--json").output == ""


def test_a_task_is_begun_completed_reopened_and_deleted(riku: ContactId) -> None:
    sent = ("--contact", riku, "--title", "Call back", "--due", DUE, "--assignee", "K@aoba.example")
    task = made("tasks", "add", *sent)
    id_ = task["id"]

    states = [
        made("tasks", *command)["status"]
        for command in (
            ("edit", id_, "--status", "in-progress"),
            ("reopen", id_),
            ("complete", id_),
            ("complete", id_),
            ("reopen", id_),
        )
    ]

    assert (task["due_at"], task["assignee"]) == ("2026-02-10T01:00:00Z", "k@aoba.example")
    assert states == ["in-progress", "in-progress", "completed", "completed", "open"]
    assert call("tasks", "list").output == (
        f"{id_}  v4  {riku}  open  due 2026-02-10 01:00 UTC  Call back\n"
    )
    emptied = made("tasks", "edit", id_, "--assignee", "", "--body", "")
    assert (emptied["assignee"], emptied["body"], emptied["version"]) == (None, "", 5)
    assert call("tasks", "delete", id_).exit_code == 0
    assert call("tasks", "show", id_).stderr == f"timerex-ghl: there is no task {id_}\n"


def test_a_note_can_be_given_to_a_task_and_taken_off_it(riku: ContactId) -> None:
    task = made("tasks", "add", "--contact", riku, "--title", "Call back", "--due", DUE)
    note = made("notes", "add", "--contact", riku, "--text", "Tea", "--task", task["id"])

    alone = made("notes", "edit", note["id"], "--task", "")

    assert (note["task_id"], alone["task_id"]) == (task["id"], None)


def test_a_text_may_come_from_standard_input(riku: ContactId) -> None:
    sent = ("notes", "add", "--contact", riku, "--text", "-")

    added = call(*sent, "--json", typed="お茶が好き\n二行目\n")
    refused = call(*sent, typed=b"\x82\xa0")

    assert json.loads(added.output)["text"] == "お茶が好き\n二行目"
    assert refused.stderr == "timerex-ghl: standard input is not UTF-8\n"


def test_the_audit_names_who_typed(url: str, riku: ContactId) -> None:
    made("notes", "add", "--contact", riku, "--text", "Likes tea")

    entry = last_audited(url)
    assert (entry.what, entry.detail["by"]) == ("note added", f"cli:{getpass.getuser()}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("notes", "add", "--text", "  "), "text: cannot be empty"),
        (("notes", "add", "--text", "x\0"), "text: has a character that cannot be shown"),
        (("notes", "add", "--text", "x", "--task", "t_1"), "task_id: not a task of this contact"),
        (("tasks", "add", "--title", "x", "--due", "tomorrow"), "due_at: Input should be"),
        (("tasks", "add", "--title", "x", "--due", "2026-02-10T10:00"), "due_at: Input should"),
        (("tasks", "add", "--title", "a\nb", "--due", DUE), "title: must be one line"),
        (("tasks", "add", "--title", "x", "--due", DUE, "--assignee", "k"), "assignee: is not an"),
    ],
)
def test_what_cannot_be_taken_is_said_in_one_line(
    riku: ContactId, arguments: tuple[str, ...], said: str
) -> None:
    result = call(*arguments, "--contact", riku)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"timerex-ghl: {said}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("group", ["notes", "tasks"])
def test_nobody_s_records_are_said_to_be_none(riku: ContactId, group: str) -> None:
    del riku
    for command in ("show", "delete", "edit"):
        result = call(group, command, "x_1")
        assert result.stderr == f"timerex-ghl: there is no {group[:-1]} x_1\n"
    assert "invalid id: " in call(group, "show", "x 1").stderr
    assert call(group, "list", "--contact", "c_1").output == f"no {group[:-1]} found\n"


def test_the_connection_is_named_where_there_are_several(url: str, riku: ContactId) -> None:
    async def publish_another() -> None:
        async with open_ledger(url) as ledger:
            other = settings_with(name=ConnectionName("hinode"), endpoint="0" * 20)
            await publish(ledger, other)

    made("notes", "add", "--contact", riku, "--text", "Likes tea")
    asyncio.run(publish_another())

    assert (
        call("notes", "list").stderr
        == "timerex-ghl: several connections: add --connection NAME, one of aoba, hinode\n"
    )
    assert "Likes tea" in call("notes", "list", "--connection", "aoba").output
    assert call("notes", "list", "--connection", "hinode").output == "no note found\n"
    unknown = call("notes", "list", "--connection", "nobody")
    assert unknown.stderr.startswith("timerex-ghl: connection nobody is not published")


@pytest.mark.usefixtures("url")
def test_without_a_published_connection_it_is_said_what_to_do() -> None:
    assert call("tasks", "list").stderr == (
        "timerex-ghl: no connection is published yet: run timerex-ghl publish NAME\n"
    )


def test_a_text_from_elsewhere_does_not_steer_the_terminal(url: str, riku: ContactId) -> None:
    async def mirror() -> None:
        async with open_ledger(url) as ledger:
            values = {TEXT: "\x1b[2Jgone\rfar " + "x" * 100}
            row = activities.new_activity("note", riku, values, make.NOW)
            await ledger.write(activities.add_activities, NAME, [row])

    asyncio.run(mirror())
    listed = call("notes", "list").output

    assert "[2Jgone far xxx" in listed
    assert listed.endswith("x…\n")
    assert not {"\x1b", "\r"} & {*listed, *call("notes", "show", listed.split()[0]).output}


async def block(ledger: Ledger) -> None:
    now = await ledger.read(clock.now)
    for found in (
        FoundDelete(ActivityKey("note", ActivityId("n_1")), "ghl", "pending"),
        FoundDelete(ActivityKey("task", ActivityId("t_1")), "workspace", "pending"),
        FoundDelete(ActivityKey("task", ActivityId("t_2")), "workspace", "done"),
    ):
        await ledger.write(pending_deletes.note_delete, NAME, found, now)


def test_deletes_that_wait_are_listed_by_id_and_age(url: str, riku: ContactId) -> None:
    del riku

    async def fill() -> None:
        async with open_ledger(url) as ledger:
            await block(ledger)

    assert call("deletes").output == "no pending deletes\n"
    asyncio.run(fill())

    lines = call("deletes", "--connection", "aoba").output.splitlines()
    assert [line.partition(", pending for 0:00:")[0] for line in lines] == [
        "note:n_1  deleted in GHL",
        "task:t_1  deleted in the workspace",
    ]
    found = [json.loads(line) for line in call("deletes", "--json").output.splitlines()]
    assert [(one["kind"], one["id"], one["side"]) for one in found] == [
        ("note", "n_1", "ghl"),
        ("task", "t_1", "workspace"),
    ]
    assert all(0 <= one["age_s"] < 60 for one in found)


def test_discarded_edits_are_listed_with_their_values(url: str, riku: ContactId) -> None:
    edit = DiscardedEdit(
        kind="note",
        id=ActivityId("n_1"),
        contact_id=riku,
        deleted_in="ghl",
        values={FieldName("text"): "Call back on Monday"},
        before={FieldName("text"): "Call back"},
        discarded_at=datetime(2026, 2, 10, 9, tzinfo=UTC),
    )

    async def fill() -> None:
        async with open_ledger(url) as ledger:
            await ledger.write(discarded_edits.save_discarded, NAME, edit)

    assert call("deletes", "--discarded").output == "no discarded edits\n"
    asyncio.run(fill())

    assert call("deletes", "--discarded").output == (
        f"note:n_1  contact {riku}  deleted in GHL 2026-02-10 09:00 UTC,"
        ' edited: {"text": "Call back on Monday"}\n'
    )
    (line,) = call("deletes", "--discarded", "--json").output.splitlines()
    assert json.loads(line)["before"] == {"text": "Call back"}


def test_differences_are_listed_with_their_reasons(url: str, riku: ContactId) -> None:
    assert call("differences").output == "no standing differences\n"
    assert call("differences", "--json").output == ""

    async def differ() -> None:
        link = Link(connection=NAME, kind="contact", local_id=riku, remote_id="g1")
        emptied = StandingDifference(field=FieldName("city"), reason="emptied")
        async with open_ledger(url) as ledger:
            await ledger.write(links.save_links, [link.with_differences([emptied], 1)])

    asyncio.run(differ())

    assert call("differences").output == f"contact:{riku}  GHL g1  city (emptied)\n"
    assert json.loads(call("differences", "--json").output)["fields"] == {"city": "emptied"}

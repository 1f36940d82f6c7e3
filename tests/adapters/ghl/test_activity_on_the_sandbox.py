"""Tasks, appointments, users, the older lists and an agency's token over real HTTP."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.adapters.ghl.case import values
from tests.adapters.ghl.line import EVERY_SCOPE
from tests.loopback import NO_TLS
from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.adapters.ghl.client import GhlClient
from timerex_ghl.adapters.ghl.rate_limiter import Unlimited
from timerex_ghl.domain.shared.errors import NotFoundError
from timerex_ghl.domain.shared.ghl_models import GhlCalendarId
from timerex_ghl.domain.shared.models import GhlContact, GhlField, LocationId
from timerex_ghl.sandbox.info import SandboxInfo
from timerex_ghl.sandbox.server import running_sandbox

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(hour=3, minute=0, microsecond=0)
SOON = timedelta(minutes=30)


class SandboxSetup:
    """A client, its sandbox, and the sandbox's control API."""

    def __init__(self, http: httpx.AsyncClient, info: SandboxInfo) -> None:
        self.http, self.info = http, info
        self.ghl = GhlClient(
            http,
            PrivateToken(info.ghl.private_token, EVERY_SCOPE),
            Unlimited(),
            base_url=info.ghl.base_url,
            location_id=LocationId(info.ghl.location_id),
        )

    async def ask(self, path: str, body: object) -> Any:
        headers = {"Authorization": f"Bearer {self.info.control.token}"}
        answer = await self.http.post(self.info.control.base_url + path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def delete_appointment(self, appointment_id: str) -> None:
        """Delete an appointment as a person does in GHL."""
        url = f"{self.info.control.base_url}/ghl/person/calendars/events/{appointment_id}"
        headers = {"Authorization": f"Bearer {self.info.control.token}"}
        answer = await self.http.request("DELETE", url, json={}, headers=headers)
        assert answer.is_success, answer.text

    async def person(self) -> GhlContact:
        return await self.ghl.create_contact(values(firstName="Riku", email="riku@hinode.example"))


@pytest.fixture
async def place() -> AsyncGenerator[SandboxSetup]:
    async with running_sandbox() as info, httpx.AsyncClient(verify=NO_TLS) as http:
        yield SandboxSetup(http, info)


async def test_a_task_lives_from_its_making_to_its_end(place: SandboxSetup) -> None:
    ghl, riku = place.ghl, await place.person()

    task = await ghl.create_task(riku.id, title="Call", due_at=TOMORROW, body="Tea <b> & talk")
    changed = await ghl.update_task(riku.id, task.id, title="Call back")
    done = await ghl.complete_task(riku.id, task.id)
    again = await ghl.complete_task(riku.id, task.id, completed=False)

    assert (task.body, task.due_at, task.completed) == ("Tea <b> & talk", TOMORROW, False)
    assert (changed.title, changed.body) == ("Call back", "Tea <b> & talk")
    assert (done.completed, again.completed) == (True, False)
    assert await ghl.get_task(riku.id, task.id) == again
    assert [one.id for one in await ghl.list_tasks(riku.id)] == [task.id]
    await ghl.delete_task(riku.id, task.id)
    with pytest.raises(NotFoundError):
        await ghl.get_task(riku.id, task.id)


async def test_all_tasks_of_a_location_are_found_page_by_page(place: SandboxSetup) -> None:
    ghl, riku = place.ghl, await place.person()
    for number in range(5):
        await ghl.create_task(riku.id, title=f"Task {number}", due_at=TOMORROW)
    found: list[str] = []
    skip: int | None = 0
    while skip is not None:
        page = await ghl.search_tasks(skip=skip, limit=2)
        found += [task.title for task in page.tasks]
        skip = page.skip

    assert sorted(found) == [f"Task {number}" for number in range(5)]
    assert (await ghl.search_tasks(completed=True)).tasks == ()


async def test_an_appointment_is_made_moved_cancelled_and_deleted(place: SandboxSetup) -> None:
    ghl, riku = place.ghl, await place.person()
    calendar = GhlCalendarId(place.info.ghl.calendar_id)
    assert calendar in {one.id for one in await ghl.list_calendars()}

    made = await ghl.create_appointment(
        calendar_id=calendar,
        contact_id=riku.id,
        starts_at=TOMORROW,
        ends_at=TOMORROW + SOON,
        title="Onboarding",
        notifies=False,
        ignores_slots=True,
    )
    later = TOMORROW + timedelta(hours=2)
    await ghl.update_appointment(made.id, starts_at=later, ends_at=later + SOON, ignores_slots=True)
    moved = await ghl.get_appointment(made.id)
    (listed,) = await ghl.list_contact_appointments(riku.id, ZoneInfo("Asia/Tokyo"))
    await ghl.update_appointment(made.id, status="cancelled")
    cancelled = await ghl.get_appointment(made.id)
    (reported,) = await ghl.list_events(calendar, TOMORROW, later + SOON)
    await place.delete_appointment(made.id)

    assert (moved.starts_at, moved.status, moved.contact_id) == (later, "confirmed", riku.id)
    assert listed.starts_at == later
    assert (cancelled.status, cancelled.deleted) == ("cancelled", False)
    assert reported == cancelled
    assert await ghl.list_events(calendar, TOMORROW, later + SOON) == []
    assert (await ghl.get_appointment(made.id)).deleted


async def test_users_are_known_by_their_address(place: SandboxSetup) -> None:
    users = await place.ghl.list_users()

    assert place.info.ghl.user_id in {user.id for user in users}
    assert all(user.email == user.email.lower() and user.name for user in users)


async def test_the_older_list_gives_everybody_once_with_their_real_names(
    place: SandboxSetup,
) -> None:
    await place.ask("/ghl/bulk", {"count": 5})
    names: list[object] = []
    page = await place.ghl.list_contacts(limit=2)
    while page.contacts:
        names += [contact.values[GhlField("firstName")] for contact in page.contacts]
        page = await place.ghl.list_contacts(page.after, limit=2)

    assert len(names) == 5
    assert all(isinstance(name, str) and name[0].isupper() for name in names)


async def test_a_business_without_contacts_has_none(place: SandboxSetup) -> None:
    assert await place.ghl.list_business_contacts("nonsense1") == []

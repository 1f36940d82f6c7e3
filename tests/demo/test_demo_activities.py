"""The demo's checker of notes and tasks finds what is missing, and shares no sync code."""

from pathlib import Path

from tests.demo.test_scenario import story
from timerex_ghl.demo import activities
from timerex_ghl.demo.scenario import CRM_PEOPLE, WORKSPACE_PEOPLE, DemoStory

__all__ = ["story"]


def test_who_has_notes_and_tasks_is_in_the_story() -> None:
    assert activities.HERE in {email for _, _, email, _, _ in WORKSPACE_PEOPLE}
    assert activities.THERE in {email for _, _, email, _ in CRM_PEOPLE}


async def test_what_reached_only_one_side_is_reported(story: DemoStory) -> None:
    await story.make_people()
    assert await activities.differences(story) == []

    written = await activities.write_on_both(story)

    found = await activities.differences(story)
    assert len(found) == written


def test_the_checker_shares_no_comparison_with_the_engine() -> None:
    source = Path(activities.__file__).read_text(encoding="utf-8")

    assert "domain.activity_plan" not in source
    assert "timerex_ghl.engine" not in source

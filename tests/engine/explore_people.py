"""Tries many random stories about people: `python -m tests.engine.explore_people --stories 2000`.

A story that fails is shrunk and printed, and the next one is tried.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

import click

from tests.engine.contacts.test_person_model import run
from tests.engine.person_steps import StoryOfPeople, draw_story
from timerex_ghl.adapters.ledger.db.core import open_ledger


async def _migrate(path: Path) -> None:
    async with open_ledger(f"sqlite:///{path}"):
        pass


def failure_of(template: Path, folder: Path, story: StoryOfPeople) -> str | None:
    """Run a story; return how it failed."""
    try:
        run(template, folder, story)
    except Exception as error:  # noqa: BLE001  whatever it is, it is shown
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def shrink(template: Path, folder: Path, story: StoryOfPeople) -> tuple[StoryOfPeople, str | None]:
    """Leave out steps as long as the story fails."""
    last = None
    size = max(len(story.steps) // 2, 1)
    while size:
        start = 0
        while start < len(story.steps):
            steps = [*story.steps[:start], *story.steps[start + size :]]
            failure = failure_of(template, folder, story._replace(steps=steps))
            if failure is None:
                start += size
            else:
                story, last = story._replace(steps=steps), failure
        size //= 2
    return story, last


def explore(count: int, seed: int, *, shrinks: bool) -> int:
    """Try so many stories; return how many failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = folder / "template.db"
        asyncio.run(_migrate(template))
        for number in range(count):
            story = draw_story(seed + number)
            failure = failure_of(template, folder, story)
            if failure is not None:
                failed += 1
                click.echo(f"seed {seed + number}: {failure}")
                if shrinks:
                    story, last = shrink(template, folder, story)
                    steps = "".join(f"        {step},\n" for step in story.steps)
                    click.echo(f"    {last or failure}")
                    given = f"{story.allow_duplicates}, {story.has_calendar}"
                    click.echo(f"    StoryOfPeople({given}, [\n{steps}    ])")
            if (number + 1) % 100 == 0:
                click.echo(f"{number + 1 - failed} of {number + 1} stories passed")
    click.echo(f"seed {seed}: {count - failed} of {count} stories passed")
    return failed


def main() -> int:
    """Read the command line, and try the stories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=200, help="how many to try")
    parser.add_argument("--seed", type=int, default=None, help="of the first; the next is one more")
    parser.add_argument("--no-shrink", action="store_true", help="only print what fails")
    given = parser.parse_args()
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    return int(explore(given.stories, seed, shrinks=not given.no_shrink) > 0)


if __name__ == "__main__":
    sys.exit(main())

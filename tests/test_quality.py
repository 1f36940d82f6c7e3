"""docs/quality.yaml says nothing that is not there, and the project's standing files are whole."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

SCALE: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
    (ROOT / "docs" / "quality.yaml").read_text(encoding="utf-8")
)
RULES = [(name, rule) for tier in SCALE.values() for name, rule in tier.items()]


def test_the_scale_has_its_four_tiers_and_each_rule_once() -> None:
    names = [name for name, _ in RULES]

    assert [*SCALE] == ["bronze", "silver", "gold", "platinum"]
    assert len(names) == len({*names})


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[name for name, _ in RULES])
def test_a_rule_is_shown_or_says_why_not(name: str, rule: dict[str, Any]) -> None:
    del name
    if rule["status"] == "done":
        path, _, test = rule["shown_by"].partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")

        assert rule.keys() == {"status", "shown_by"}
        assert not test or re.search(rf"^(async )?def {test}\(", text, re.MULTILINE)
    else:
        assert rule["status"] in {"todo", "exempt"}
        assert rule.keys() == {"status", "reason"}
        assert len(rule["reason"]) > 20


def test_every_environment_variable_is_listed() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "timerex_ghl").rglob("*.py")]
    sources += [path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("*.py")]
    used = {name for text in sources for name in re.findall(r"\bTIMEREX_GHL_[A-Z_]+\b", text)}
    listed = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")

    assert {name for name in used if f"`{name}`" not in listed} == set()


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("document", sorted(DOCUMENTS), ids=lambda one: one.name)
def test_a_link_inside_the_project_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)

    assert [one for one in targets if not (document.parent / one).exists()] == []


def anchors(document: Path) -> set[str]:
    """Give the names that a link can follow `#` with, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_code_that_names_a_vendors_fact_leads_to_it() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), vendor, anchor)
        for path in (ROOT / "timerex_ghl").rglob("*.py")
        for vendor, anchor in re.findall(
            r"docs/vendors/(\w+)\.md#([a-z-]+)", path.read_text(encoding="utf-8")
        )
    }
    known = {path.stem: anchors(path) for path in (ROOT / "docs" / "vendors").glob("*.md")}

    assert len(named) >= 10
    assert [one for one in sorted(named) if one[2] not in known[one[1]]] == []

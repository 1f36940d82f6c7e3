"""What a new version changes, in readable lines, without the secret webhook endpoint."""

from tests import make
from timerex_ghl.domain.connections.setting_changes import difference
from timerex_ghl.domain.connections.settings import ConnectionSettings, GhlSettings, TimerexSettings
from timerex_ghl.domain.shared.models import ConnectionName, LocationId

ENDPOINT, DIGEST = "canary-endpoint", "canary-digest"


def settings(
    *, endpoint: str = ENDPOINT, digests: tuple[str, ...] = (DIGEST,)
) -> ConnectionSettings:
    return ConnectionSettings(
        name=ConnectionName("aoba"),
        ghl=GhlSettings(
            location_id=LocationId("loc-aoba"),
            base_url="https://ghl.example",
            token_url="https://ghl.example/oauth/token",
            app_url="https://app.example",
            credentials="aoba-ghl",
            auth="oauth",
            scopes=frozenset({"b", "a"}),
        ),
        timerex=TimerexSettings(
            credentials="aoba-timerex", endpoint=endpoint, header="x-token", token_digests=digests
        ),
        region="JP",
        rules=(make.rule("city"), make.rule("email")),
        booked_tag=None,
    )


def test_equal_settings_differ_in_nothing() -> None:
    assert difference(settings(), settings()) == []


def test_the_first_publication_lists_everything() -> None:
    lines = difference(None, settings())

    assert "region: not set -> JP" in lines
    assert "ghl.scopes: not set -> a, b" in lines
    assert "booked_tag: not set -> none" in lines
    assert "rules.city.direction: not set -> both" in lines
    assert "timerex.endpoint: not set -> (not shown)" in lines
    assert "timerex.token_digests: not set -> (not shown)" in lines
    assert lines == sorted(lines)


def test_only_what_changed_is_listed() -> None:
    before = settings()
    after = before.model_copy(update={"region": "GB", "booked_tag": "booked"})

    assert difference(before, after) == ["booked_tag: none -> booked", "region: JP -> GB"]


def test_a_set_in_another_order_is_the_same() -> None:
    before = settings()
    ghl = before.ghl.model_copy(update={"scopes": frozenset({"a", "b"})})

    assert difference(before, before.model_copy(update={"ghl": ghl})) == []


def test_rules_are_compared_by_their_field() -> None:
    before = settings()
    changed = make.rule("email", "email", empty_wipes=True)
    after = before.model_copy(update={"rules": (changed, make.rule("state"))})

    lines = difference(before, after)

    assert "rules.email.empty_wipes: False -> True" in lines
    assert "rules.city.field: city -> not set" in lines
    assert "rules.state.field: not set -> state" in lines
    assert [line for line in lines if line.startswith("rules.email.")] == lines[7:8]


def test_the_endpoint_and_digests_are_never_shown() -> None:
    new = settings(endpoint="canary-new-endpoint", digests=("canary-new", DIGEST))

    changes = difference(settings(), new)

    assert changes == [
        "timerex.endpoint: (not shown) -> (not shown)",
        "timerex.token_digests: (not shown) -> (not shown)",
    ]
    assert "canary" not in "".join([*changes, *difference(None, new)])

"""A private integration token: always the same, with no other to replace it."""

import pytest

from timerex_ghl.adapters.ghl.access.auth import PrivateToken
from timerex_ghl.domain.shared.errors import CredentialsError

PRIVATE = PrivateToken("pit-canary", frozenset({"contacts.readonly"}))


async def test_a_private_token_is_handed_out_as_it_was_entered() -> None:
    assert await PRIVATE.token() == await PRIVATE.token() == "pit-canary"
    assert PRIVATE.scopes() == {"contacts.readonly"}


async def test_a_private_token_does_not_care_whether_an_app_is_installed() -> None:
    await PRIVATE.check_install()


async def test_a_refused_private_token_needs_a_person_and_is_not_reported() -> None:
    with pytest.raises(CredentialsError, match="create a new one") as failure:
        await PRIVATE.token(rejected="pit-canary")

    assert "canary" not in str(failure.value)
    assert "\n" not in str(failure.value)

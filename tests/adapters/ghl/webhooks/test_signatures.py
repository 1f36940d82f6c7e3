import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.gateway.webhooks.ghl_sender import (
    KEY,
    OLDER_PUBLIC,
    PUBLIC,
    SANDBOX_PUBLIC,
    STRANGER,
    signed,
    signed_as_before,
)
from timerex_ghl.adapters.ghl.webhooks.signatures import (
    GHL_OLDER_WEBHOOK_KEY,
    DeliverySignature,
    is_webhook_key,
    read_proof,
    signer_of,
)
from timerex_ghl.domain.connections.settings import GHL_WEBHOOK_KEY

BODY = b'{"type": "ContactUpdate"}'
NEW, OLD = b"x-ghl-signature", b"x-wh-signature"


def proof_of(body: bytes, key: Ed25519PrivateKey = KEY) -> DeliverySignature:
    return DeliverySignature(base64.b64decode(signed(body, key)), is_older=False)


def test_the_key_that_signed_is_named_wherever_it_stands() -> None:
    for keys in ((PUBLIC, SANDBOX_PUBLIC), (SANDBOX_PUBLIC, PUBLIC), ("odd", PUBLIC)):
        assert signer_of(proof_of(BODY), BODY, keys) == PUBLIC


def test_what_another_signed_or_was_changed_names_nobody() -> None:
    assert signer_of(proof_of(BODY, STRANGER), BODY, (PUBLIC, SANDBOX_PUBLIC)) is None
    assert signer_of(proof_of(BODY), BODY + b"\n", (PUBLIC,)) is None
    assert signer_of(proof_of(BODY), BODY, ()) is None


def test_a_key_checks_by_the_algorithm_of_its_header_alone() -> None:
    older = DeliverySignature(base64.b64decode(signed_as_before(BODY)), is_older=True)

    assert signer_of(older, BODY, (OLDER_PUBLIC,)) == OLDER_PUBLIC
    assert signer_of(older._replace(is_older=False), BODY, (OLDER_PUBLIC,)) is None
    assert signer_of(proof_of(BODY)._replace(is_older=True), BODY, (PUBLIC,)) is None


@pytest.mark.parametrize(
    ("headers", "proof"),
    [
        ([], None),
        ([(NEW, b"c2ln")], DeliverySignature(b"sig", is_older=False)),
        ([(b"X-GHL-Signature", b"c2ln")], DeliverySignature(b"sig", is_older=False)),
        ([(OLD, b"c2ln")], DeliverySignature(b"sig", is_older=True)),
        ([(OLD, b"b2xk"), (NEW, b"c2ln")], DeliverySignature(b"sig", is_older=False)),
        ([(OLD, b"c2ln"), (NEW, b"N/A")], None),
        ([(OLD, b"c2ln"), (NEW, b"")], None),
        ([(NEW, b"c2ln"), (NEW, b"c2ln")], None),
        ([(NEW, b"c2ln, c2ln")], None),
        ([(NEW, b"\xff\xfe")], None),
    ],
)
def test_one_signature_counts_and_the_present_header_before_the_older(
    headers: list[tuple[bytes, bytes]], proof: DeliverySignature | None
) -> None:
    assert read_proof(headers) == proof


def test_only_an_ed25519_public_key_is_a_webhook_key() -> None:
    assert is_webhook_key(GHL_WEBHOOK_KEY)
    assert not [key for key in ("", "odd", "ä", GHL_OLDER_WEBHOOK_KEY) if is_webhook_key(key)]

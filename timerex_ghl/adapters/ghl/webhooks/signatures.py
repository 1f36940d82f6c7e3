"""The sender of a GHL webhook: a signature over the raw bytes, checked with configured keys.

`X-GHL-Signature` is Ed25519, base64. `X-WH-Signature` is RSA (PKCS#1 v1.5, SHA-256), retired by GHL
in 2026 and accepted only where it is switched on. Neither covers the headers.

Source: docs/vendors/ghl.md#webhooks.
"""

import base64
import binascii
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

GHL_OLDER_WEBHOOK_KEY = (
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAokvo/r9tVgcfZ5DysOSCFrm602qYV0MaAiNnX9O8KxMbiyRKWeL9"
    "JpCpVpt4XHIcBOK4u3cLSqJGOLaPuXw6dO0t6Q/ZVdAV5Phz+ZtzPL16iCGeK9po6D6JHBpbi989mmzMryUnQJezlYJ3DVfB"
    "csedpinheNnyYeFXolrJvcsjDtfAeRx5ByHQmTnSdFUzuAnC9/GepgLT9SM4nCpvuxmZMxrJt5Rw+VUaQ9B8JSvbMPpez4pe"
    "KaJPZHBbU3OdeCVx5klVXXZQGNHOs8gF3kvoV5rTnXV0IknLBXlcKKAQLZcY/Q9rG6Ifi9c+5vqlvHPCUJFT5XUGG5RKgOKU"
    "J062fRtN+rLYZUV+BjafxQauvC8wSWeYja63VSUruvmNj8xkx2zE/Juc+yjLjTXpIocmaiFeAO6fUtNjDeFVkhf5LNb59vEC"
    "yrHD2SQIrhgXpO4Q3dVNA5rw576PwTzNh/AMfHKIjE4xQA1SZuYJmNnmVZLIZBlQAF9Ntd03rfadZ+yDiOXCCs9FkHibELhC"
    "HULgCsnuDJHcrGNd5/Ddm5hxGQ0ASitgHeMZ0kcIOwKDOzOU53lDza6/Y09T7sYJPQe7z0cvj7aE4B+Ax1ZoZGPzpJlZtGXC"
    "su9aTEGEnKzmsFqwcSsnw3JB31IGKAykT1hhTiaCeIY/OwwwNUY2yvcCAwEAAQ=="
)
"""The RSA key of the retired signature, as GHL's webhook guide prints it."""

_HEADER, _OLDER_HEADER = b"x-ghl-signature", b"x-wh-signature"


class DeliverySignature(NamedTuple):
    """The signature of a delivery. `is_older`: the retired RSA one."""

    signature: bytes
    is_older: bool


def read_proof(headers: Sequence[tuple[bytes, bytes]]) -> DeliverySignature | None:
    """Return the signature of a delivery; None where it has no well-formed one.

    Where the current header is present, the older one is ignored, even if the current one is
    invalid (GHL writes "N/A" where it did not sign).

    Args:
        headers: As received, including repeated ones.
    """
    for wanted in (_HEADER, _OLDER_HEADER):
        found = [value for name, value in headers if name.lower() == wanted]
        if found:
            signature = _decode(found[0]) if len(found) == 1 else None
            return DeliverySignature(signature, wanted is _OLDER_HEADER) if signature else None
    return None


def signer_of(proof: DeliverySignature, body: bytes, keys: Collection[str]) -> str | None:
    """Return the key whose signature of the body is valid; None where there is none."""
    return next((key for key in keys if _has_signed(key, proof, body)), None)


def is_webhook_key(text: str) -> bool:
    """Return whether a text is an Ed25519 public key: SPKI in base64, as GHL prints its own."""
    return isinstance(_load(text), Ed25519PublicKey)


def _has_signed(key: str, proof: DeliverySignature, body: bytes) -> bool:
    """Verify with one key, using only the algorithm that belongs to the header."""
    loaded = _load(key)
    try:
        if isinstance(loaded, Ed25519PublicKey) and not proof.is_older:
            loaded.verify(proof.signature, body)
            return True
        if isinstance(loaded, RSAPublicKey) and proof.is_older:
            loaded.verify(proof.signature, body, PKCS1v15(), SHA256())
            return True
    except InvalidSignature:
        pass
    return False


@lru_cache(maxsize=256)
def _load(key: str) -> object | None:
    data = _decode(key.encode())
    try:
        return load_der_public_key(data) if data else None
    except (ValueError, UnsupportedAlgorithm):
        return None


def _decode(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None

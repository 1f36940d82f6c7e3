"""All that the sandbox's GHL knows, in memory: one location and what is in it."""

import base64
from collections import deque
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from timerex_ghl.sandbox.contact_store import Contacts
from timerex_ghl.sandbox.faults import Faults
from timerex_ghl.sandbox.limits import Limits
from timerex_ghl.sandbox.tokens import Tokens
from timerex_ghl.sandbox.wire import Json, new_id


@dataclass
class Location:
    """One sub-account. The defaults suit a team in Japan."""

    id: str = field(default_factory=new_id)
    company_id: str = field(default_factory=new_id)
    name: str = "Aoba Onboarding"
    country: str = "JP"
    timezone: str = "Asia/Tokyo"
    allow_duplicates: bool = False
    unique_identifiers: list[str] = field(default_factory=lambda: ["email", "phone"])


@dataclass
class Ghl:
    """The service's memory."""

    location: Location = field(default_factory=Location)
    contacts: Contacts = field(default_factory=Contacts)
    custom_fields: dict[str, Json] = field(default_factory=dict[str, Json])
    appointments: dict[str, Json] = field(default_factory=dict[str, Json])
    calendar_id: str = field(default_factory=new_id)
    user_id: str = field(default_factory=new_id)
    tokens: Tokens = field(default_factory=Tokens)
    limits: Limits = field(default_factory=Limits)
    faults: Faults = field(default_factory=Faults)
    signing_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    calls: deque[Json] = field(default_factory=lambda: deque[Json](maxlen=200_000))

    @property
    def webhook_public_key(self) -> str:
        """Write the key that webhooks are checked with, as the vendor's guide prints its own."""
        key = self.signing_key.public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

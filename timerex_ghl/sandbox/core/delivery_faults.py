"""Faults in transit to a webhook endpoint, on request; the same for both services."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from timerex_ghl.sandbox.core.fault_rules import Aim

Forgery = Literal[
    "unsigned",
    "bad_signature",
    "other_key",
    "other_header",
    "not_available",
    "changed_body",
    "rewritten_body",
]
Kind: TypeAlias = Literal["copies", "delay", "shuffle", "pause", "drop"] | Forgery


class SenderProof(NamedTuple):
    """How a delivery proves its sender.

    Attributes:
        header: In lower case.
        by_another: Makes the header of another sender for a body.
    """

    header: str
    by_another: Callable[[bytes], str]


@dataclass
class DeliveryFault:
    """One fault. Several can hit one delivery.

    Attributes:
        value: Number of copies; milliseconds of a delay, or the most of a shuffle.
    """

    aim: Aim
    kind: Kind
    value: int = 0


class Plan(NamedTuple):
    """How one delivery is sent. `copies` are sent at once."""

    kinds: tuple[Kind, ...] = ()
    copies: int = 1
    delay_s: float = 0
    paused: bool = False
    dropped: bool = False
    forgery: Forgery | None = None

    def struck_by(self, fault: DeliveryFault, draw: random.Random) -> "Plan":
        """Add the effect of a fault."""
        plan = self._replace(kinds=(*self.kinds, fault.kind))
        match fault.kind:
            case "copies":
                return plan._replace(copies=fault.value)
            case "delay":
                return plan._replace(delay_s=self.delay_s + fault.value / 1000)
            case "shuffle":
                return plan._replace(delay_s=self.delay_s + draw.random() * fault.value / 1000)
            case "pause":
                return plan._replace(paused=True)
            case "drop":
                return plan._replace(dropped=True)
            case forgery:
                return plan._replace(forgery=forgery)


AS_IT_IS = Plan()


@dataclass
class DeliveryFaults:
    """The pending faults."""

    waiting: list[DeliveryFault] = field(default_factory=list[DeliveryFault])
    draw: random.Random = field(default_factory=lambda: random.Random(1))

    def plan(self, type_: str) -> Plan:
        """Count a delivery; return how it is to be sent."""
        plan = AS_IT_IS
        for fault in self.waiting:
            if fault.aim.sees(type_):
                fault.aim.strike()
                plan = plan.struck_by(fault, self.draw)
        if self.waiting:
            self.waiting = [fault for fault in self.waiting if not fault.aim.spent]
        return plan


def forge(
    kind: Forgery, headers: dict[str, str], body: bytes, proof: SenderProof
) -> tuple[dict[str, str], bytes]:
    """Forge a delivery; return its headers, in lower case, and its body."""
    match kind:
        case "changed_body":
            return headers, body.rstrip()[:-1] + b',"changed":true}'
        case "rewritten_body":
            return headers, json.dumps(json.loads(body), indent=1).encode()
        case _:
            bare = {key: value for key, value in headers.items() if key != proof.header}
            shown = headers.get(proof.header, "")
            return {**bare, **_forged_proof(kind, shown, body, proof)}, body


def _forged_proof(kind: Forgery, shown: str, body: bytes, proof: SenderProof) -> dict[str, str]:
    match kind:
        case "bad_signature":
            return {proof.header: _other_letter(shown)}
        case "other_key":
            return {proof.header: proof.by_another(body)}
        case "other_header":
            return {f"{proof.header}-other": shown}
        case "not_available":
            return {proof.header: "N/A"}
        case _:
            return {}


def _other_letter(text: str) -> str:
    """Change one letter in the middle."""
    at = len(text) // 2
    return f"{text[:at]}{'B' if text[at : at + 1] == 'A' else 'A'}{text[at + 1 :]}"

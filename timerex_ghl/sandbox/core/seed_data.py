"""Invented people, the same for the same seed."""

import random
from collections.abc import Iterator

from timerex_ghl.sandbox.core.json_io import Json

FIRST = [
    "Riku",
    "Yui",
    "Haruto",
    "Aoi",
    "Ren",
    "Hina",
    "Sota",
    "Mei",
    "Emma",
    "Liam",
    "Noah",
    "Mia",
]
LAST = ["Sato", "Suzuki", "Tanaka", "Ito", "Watanabe", "Kato", "Smith", "Keller", "Rossi", "Dubois"]
HOUSES = ["hinode", "midori", "asahi", "kawa", "northwind", "lakeside"]
CITIES = ["Tokyo", "Osaka", "Nagoya", "Sapporo", "Fukuoka", "Kyoto"]
TAGS = ["lead", "newsletter", "webinar", "customer", "vip"]


def invent_people(count: int, seed: int) -> Iterator[tuple[Json, list[str]]]:
    """Yield plain fields and tags of people, each with a unique e-mail and phone."""
    dice = random.Random(seed)
    for number in range(count):
        first, last, house = dice.choice(FIRST), dice.choice(LAST), dice.choice(HOUSES)
        fields: Json = {
            "firstName": first,
            "lastName": last,
            "email": f"{first}.{last}.{seed}-{number}@{house}.example".lower(),
            "phone": f"+8190{seed % 90 + 10}{number:06d}",
            "companyName": house.title(),
            "city": dice.choice(CITIES),
            "country": "JP",
            "type": "lead",
        }
        yield fields, dice.sample(TAGS, dice.randrange(3))

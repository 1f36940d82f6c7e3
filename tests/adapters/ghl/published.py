"""Matching our operations to the vendor's published ones."""

import re

from tests.adapters.ghl.case import MethodCase
from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.operations import GhlOperation

OPERATIONS = [each for each in vars(ops).values() if isinstance(each, GhlOperation)]
NAMES = {
    "location": "locationId",
    "contact": "contactId",
    "note": "id",
    "task": "taskId",
    "appointment": "eventId",
    "user": "userId",
    "business": "businessId",
}
"""Ids in our paths, and their names in the vendor's paths."""


def operation_of(case: MethodCase) -> GhlOperation:
    """Find the operation of a case; fixed paths come before those with ids."""
    found = [
        each
        for each in OPERATIONS
        if each.method == case.method
        and re.fullmatch(re.sub(r"\{\w+\}", r"[\\w-]+", each.path), case.path)
    ]
    return min(found, key=lambda each: each.path.count("{"))


def published_path(operation: GhlOperation) -> str:
    """Return a path as the vendor's files write it."""
    return re.sub(r"\{(\w+)\}", lambda name: f"{{{NAMES[name[1]]}}}", operation.path)

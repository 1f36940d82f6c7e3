"""A record's version as an entity tag: sent with each answer, required for each change."""

import re
from typing import Annotated

from fastapi import Header

from timerex_ghl.gateway.api.problems import ProblemError

_STRONG = re.compile(r'"([1-9][0-9]{0,8})"')
_ANY_TAG = re.compile(r'(?:W/)?"[!#-~]*"')

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The `ETag` of the version to change; `*` for any.",
    ),
]


def tag_of(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def wanted_versions(if_match: str | None) -> frozenset[int] | None:
    """Parse the versions a change applies to; None: any.

    Raises:
        ProblemError: 428 where the header is missing, 400 where it is not an entity tag.
    """
    if if_match is None:
        raise ProblemError(428, "no-version", "send If-Match with the ETag of the version you read")
    if if_match.strip() == "*":
        return None
    tags = [tag.strip() for tag in if_match.split(",")]
    if not all(_ANY_TAG.fullmatch(tag) for tag in tags):
        raise ProblemError(400, "bad-version", 'write If-Match like the ETag, in quotes: "3"')
    found = (_STRONG.fullmatch(tag) for tag in tags)
    return frozenset(int(one[1]) for one in found if one)

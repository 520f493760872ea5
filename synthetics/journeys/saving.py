"""Values that a step takes from its answer."""

from typing import cast

from synthetics.journeys.model import Save, SaveFrom
from synthetics.journeys.ports import Reply
from synthetics.journeys.templates import JSON
from synthetics.probes.json_paths import NoJSON, found_by, parse_json
from synthetics.probes.patterns import compiled


class NotFound(Exception):
    """The answer has no such value; the text says where it was looked for."""


def saved(save: Save, reply: Reply) -> JSON:
    """The value: of several the first, of cookies the latest. Raises `NotFound`."""
    answer, wanted = reply.answer, save.expression
    match save.origin:
        case SaveFrom.JSON:
            return _by_path(wanted, answer.body)
        case SaveFrom.HEADER:
            values = [value for name, value in answer.headers if name == wanted.lower()]
            missing = f"the answer has no header {wanted}"
        case SaveFrom.COOKIE:
            values = [value for name, value in reversed(reply.cookies) if name == wanted]
            missing = f"there is no cookie {wanted}"
        case SaveFrom.REGEX:
            return _by_pattern(wanted, answer.body)
    if not values:
        raise NotFound(missing)
    return values[0]


def _by_path(path: str, body: bytes) -> JSON:
    try:
        found = found_by(path, parse_json(body))
    except NoJSON as error:
        raise NotFound(f"the body: {error}") from None
    if not found:
        raise NotFound(f"{path} finds nothing")
    return cast(JSON, found[0])


def _by_pattern(pattern: str, body: bytes) -> str:
    found = compiled(pattern).search(body)
    if found is None:
        raise NotFound(f"the body does not match {pattern}")
    taken = found.group(1) if found.re.groups else found.group(0)
    return taken.decode("utf-8", "replace") if isinstance(taken, bytes) else str(taken or "")

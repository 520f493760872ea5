"""JSONPath (RFC 9535) over what a target sends, bounded in size, depth and matches; patterns in it are RE2, too."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from synthetics.probes.patterns import BadPattern, compiled

if TYPE_CHECKING:
    from jsonpath import JSONPath, JSONPathEnvironment

MAX_JSON_BYTES: Final = 2 * 1024 * 1024
MAX_DESCENTS: Final = 2  # `..` in one path: each multiplies the work by the size of the body
MAX_MATCHES: Final = 1000
_REMEMBERED: Final = 2000
_TOKEN: Final = re.compile(r"'?TOKEN_([A-Z_]+)'?")


class NoJSON(ValueError):
    """The body cannot be used as JSON; the message says why."""


@dataclass(frozen=True, slots=True)
class PathFault:
    """What is wrong with a path; `offset` is the character at which, where that is known."""

    message: str
    offset: int | None = None


def parse_json(body: bytes) -> object:
    """The value of a body. Raises NoJSON: too large, nested too deeply, or none."""
    if len(body) > MAX_JSON_BYTES:
        raise NoJSON(f"{len(body):,} bytes are too many to be read as JSON; at most {MAX_JSON_BYTES:,}")
    try:
        return json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise NoJSON("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NoJSON(f"it is not JSON: {error.msg} at character {error.pos}") from None
    except ValueError:  # not UTF-8, digits without end
        raise NoJSON("it is not JSON") from None


def path_fault(path: str) -> PathFault | None:
    """What is wrong with a path; None when it can be used."""
    from jsonpath import JSONPathError

    if path.count("..") > MAX_DESCENTS:
        return PathFault(f"more than {MAX_DESCENTS} descents (`..`)")
    try:
        _compiled(path)
    except JSONPathError as error:
        index = error.token.index if error.token is not None else None
        return PathFault(
            f"not a JSONPath (RFC 9535): {_said(error)}", index if index is not None and index >= 0 else None
        )
    return None


def _said(error: Exception) -> str:
    """Its message, without the names that the parser gives to tokens."""
    text = str(error.args[0]) if error.args else "it cannot be read"
    return _TOKEN.sub(lambda found: "`$`" if found[1] == "ROOT" else found[1].lower().replace("_", " "), text)


def found_by(path: str, value: object) -> list[object]:
    """The values that a path finds, in its order, at most `MAX_MATCHES`."""
    from jsonpath import JSONPathError

    try:
        return [match.obj for match in islice(_compiled(path).finditer(value), MAX_MATCHES)]  # type: ignore[arg-type]
    except (JSONPathError, RecursionError):
        return []


def as_json(text: str) -> object:
    """The value that a text stands for: what is no JSON is text."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def as_text(value: object) -> str:
    """A value as patterns see it: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=_REMEMBERED)
def _compiled(path: str) -> "JSONPath":
    return _environment().compile(path)  # type: ignore[return-value]  # strict mode has no compound paths


@lru_cache(maxsize=1)
def _environment() -> "JSONPathEnvironment":
    from jsonpath import JSONPathEnvironment

    environment = JSONPathEnvironment(strict=True)
    functions = environment.function_extensions
    functions["match"] = _re2_function(functions["match"], whole=True)
    functions["search"] = _re2_function(functions["search"], whole=False)
    return environment


def _re2_function(original: object, *, whole: bool) -> Callable[..., Any]:
    """The function with the same types, over RE2 in place of a matcher that may take forever."""
    kind = type(original)

    class RE2Function(kind):  # type: ignore[misc, valid-type]
        """`match` or `search`."""

        def __call__(self, value: object, pattern: object) -> bool:
            if not isinstance(value, str) or not isinstance(pattern, str):
                return False
            try:
                return compiled(f"^(?:{pattern})$" if whole else pattern).search(value) is not None
            except BadPattern:
                return False

    made: Callable[..., Any] = RE2Function()
    return made


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")

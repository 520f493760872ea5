"""How commands send events to a running Flyball, and say what became of them."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from exporters.events.adapters.endpoint import Endpoint

_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 20.0
_SUMS: Final = ("accepted", "duplicates", "unknown", "conflicting")
_LISTS: Final = ("unknown_types", "conflicts")


def sent(bodies: list[bytes], *, url: str, workspace: Path, attempts: int) -> dict[str, Any]:
    """What became of all batches together. Ends the program when they are refused, or nobody answers."""
    from exporters.events.adapters.endpoint import Endpoint, batches

    settings = settings_or_exit(workspace)
    tokens = settings.events.tokens
    if not tokens:
        fail("no token: set FLYBALL_EVENTS_TOKEN or FLYBALL_EVENTS_TOKEN_FILE", ExitCode.PROBLEMS)
    base = url or settings.external_url or f"http://{settings.listen}"
    total: dict[str, Any] = {**dict.fromkeys(_SUMS, 0), **{name: [] for name in _LISTS}}
    with Endpoint(base, tokens[0].reveal()) as endpoint:
        for batch in batches(bodies):
            data = _attempted(endpoint, batch, attempts)
            for name in _SUMS:
                total[name] += int(data.get(name) or 0)
            for name in _LISTS:
                total[name] += [each for each in data.get(name) or [] if each not in total[name]]
    return total


def _attempted(endpoint: "Endpoint", batch: list[bytes], attempts: int) -> dict[str, Any]:
    from controlplane.ports import Permanent, Transient
    from exporters.events.adapters.endpoint import Refused

    for attempt in range(1, attempts + 1):
        try:
            return endpoint.send(batch)
        except Transient as error:
            if attempt == attempts:
                fail(f"flyball event send: {error} (tried {attempts} times)", ExitCode.OUTSIDE)
            seconds = min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)
            typer.echo(f"{error}; again in {seconds:.0f} s", err=True)
            pause(seconds)
        except Refused as error:
            fail(f"flyball event send: {error}", ExitCode.PROBLEMS)
        except Permanent as error:
            fail(f"flyball event send: {error}", ExitCode.OUTSIDE)
    raise AssertionError("there is at least one attempt")


def pause(seconds: float) -> None:
    """Before another attempt."""
    time.sleep(seconds)


def tell(data: dict[str, Any], *, is_repeatable: bool, as_json: bool) -> None:
    """Print it; a contradiction ends the program with 1.

    With `is_repeatable` there is none: an event with an id and no time of its own says the same when it is told again.
    """
    from exporters.events.views import receipt_text

    if is_repeatable and data["conflicting"]:
        data |= {"duplicates": data["duplicates"] + data["conflicting"], "conflicting": 0, "conflicts": []}
    typer.echo(json.dumps(data, ensure_ascii=False) if as_json else receipt_text(data))
    for conflict in data["conflicts"]:
        typer.echo(f"{conflict['source']} {conflict['id']}: one of that id says something else, and stands", err=True)
    if data["conflicting"]:
        raise typer.Exit(ExitCode.PROBLEMS)

"""`flyball slo backfill`: gives new SLOs their past."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit
from flyball.cli.slo.reading import fail, slos_or_exit

if TYPE_CHECKING:
    from controlplane.model.slo import SLO
    from flyball.backfilling.run import Done, Order
    from flyball.settings import Settings

_QUERY_SECONDS: Final = 60.0
_LONGEST: Final = timedelta(days=400)
_INTERRUPTED: Final = 128  # plus the signal, as shells have it
_METHODS: Final = ("auto", "blocks", "remote-write", "openmetrics")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    since: str
    until: str
    method: str
    out: Path | None
    data: Path | None
    dry_run: bool


def backfill(
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The SLO files.")] = Path(),
    only: Annotated[
        list[str] | None, typer.Option("--slo", metavar="NAME", help="Only these SLOs; globs are understood.")
    ] = None,
    since: Annotated[
        str, typer.Option(help="How far back (30d, 36h), or a time in RFC 3339.", show_default="each SLO's window")
    ] = "",
    until: Annotated[str, typer.Option(help="A time in RFC 3339, or how long ago (2d).", show_default="now")] = "",
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    into: Annotated[
        str,
        typer.Option(metavar="URL", help="The server that runs the rules, where that is another one."),
    ] = "",
    method: Annotated[
        str, typer.Option(metavar="METHOD", help=f"How the past is handed over: {', '.join(_METHODS)}.")
    ] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FOLDER|FILE",
            help="Where blocks go, or the OpenMetrics text.",
            show_default="flyball-backfill",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", metavar="PATH", help="The data folder of a Prometheus on this machine: blocks go in."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what is missing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of words.")] = False,
) -> None:
    """Compute what the rules of SLOs would have recorded before they ran, and hand it to Prometheus.

    Only gaps are filled: what is recorded already is never written again, so running it twice changes nothing, and
    running it again finishes what was interrupted. Time in which nothing was measured stays a gap, and the coverage of
    the window says so.

    Where Prometheus takes old samples (storage.tsdb.out_of_order_time_window), they are written to it. Elsewhere blocks
    are made with promtool: straight into --data-dir, or in a folder to be moved there. The last two or three hours,
    which Prometheus holds in memory, no block may touch: run it again later to fill them, too.

    Exit status: 0 when it is done, 1 when files have mistakes, 3 when a server, promtool or the disk refused.

    \b
    Examples:
      flyball slo backfill --dry-run
      flyball slo backfill --slo checkout --data-dir /var/lib/prometheus
      flyball slo backfill slo/ -o blocks && mv blocks/* /var/lib/prometheus/
      flyball slo backfill --method remote-write --prometheus http://127.0.0.1:9090
      flyball slo backfill --method openmetrics -o past.txt --json
    """
    from controlplane.adapters.clock import SystemClock

    asked = Asked(since, until, method, out, data, dry_run)
    settings = settings_or_exit(_workspace_of(path), {"prometheus.url": prometheus})
    order = _order(slos_or_exit(path, only or []), asked, SystemClock().now())
    done = _run(order, settings, into)
    if as_json:
        typer.echo(_json(done, asked), nl=False)
    else:
        _say(done, asked)


def _order(slos: "Sequence[SLO]", asked: "Asked", now: datetime) -> "Order":
    from flyball.backfilling.run import Method, Order
    from slo.backfill.survey import Stretch

    if asked.method not in _METHODS:
        raise typer.BadParameter(f"one of {', '.join(_METHODS)}, not {asked.method}", param_hint="--method")
    method = Method(asked.method)
    if asked.data is not None and (asked.out is not None or method not in (Method.AUTO, Method.BLOCKS)):
        raise typer.BadParameter("takes blocks, and nothing goes elsewhere then", param_hint="--data-dir")
    if asked.out is not None and method is Method.REMOTE_WRITE:
        raise typer.BadParameter("remote write goes to a server", param_hint="--out")
    if asked.out is None and method is Method.OPENMETRICS:
        raise typer.BadParameter("name the file that the samples go to", param_hint="--out")
    end = _moment(asked.until, now, "--until") if asked.until else now
    begin = _moment(asked.since, end, "--since") if asked.since else None
    if end > now:
        raise typer.BadParameter("lies in the future", param_hint="--until")
    if begin is not None and not timedelta(0) < end - begin <= _LONGEST:
        raise typer.BadParameter(f"must be before --until, by {_LONGEST.days} days at most", param_hint="--since")
    return Order(slos, Stretch(begin, end, now), method, asked.out, asked.data, asked.dry_run)


def _moment(text: str, before: datetime, option: str) -> datetime:
    """A time, or a length before another one."""
    from slo.replay.times import moment_before

    try:
        return moment_before(text, before)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _workspace_of(path: Path) -> Path:
    """The folder of the nearest `flyball.yaml` at or above the files."""
    from flyball.settings import FILE_NAME

    folder = path if path.is_dir() else path.parent
    above = [folder, *folder.absolute().parents]
    return next((each for each in above if (each / FILE_NAME).is_file()), folder)


def _run(order: "Order", settings: "Settings", into: str) -> "Done":
    from controlplane.adapters.prometheus import PrometheusBackend
    from controlplane.ports import Permanent, Transient
    from flyball.backfilling.run import run, servers_at
    from flyball.demo.steps import steps_on
    from flyball.slo_wiring import with_credentials

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    try:
        with _ending_politely():
            measured = PrometheusBackend(
                settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS
            )
            recorded = PrometheusBackend(into, timeout_seconds=_QUERY_SECONDS) if into else measured
            write_url = into or with_credentials(settings)
            with servers_at(measured, recorded, write_url) as servers, steps_on(sys.stderr) as steps:
                return run(order, servers, steps)
    except (Transient, Permanent) as error:
        fail(f"Not backfilled: {error}.", ExitCode.OUTSIDE)
    except _Interrupted as error:
        typer.echo("Interrupted. Nothing is half written; run the same command again to finish.", err=True)
        raise typer.Exit(_INTERRUPTED + error.signal) from None


class _Interrupted(BaseException):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = number


@contextmanager
def _ending_politely() -> Iterator[None]:
    """SIGINT and SIGTERM as an exception that only we catch, so that unfinished files are removed."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del frame
        raise _Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(done: "Done", asked: "Asked") -> None:
    """What was filled, what is left, what next."""
    if done.waiting:
        typer.echo(
            f"Nothing was computed: {done.out} holds the blocks of an earlier backfill. Move them into Prometheus' "
            f"data folder (mv {done.out}/* …), or remove {done.out} to begin anew."
        )
        return
    for one in done.filled:
        had, has = one.recorded, one.recorded + one.written
        if asked.dry_run:
            typer.echo(f"{one.name}: {_share(had, one.entries)} of the time is recorded, the rest would be asked for")
        elif one.samples:
            words = f"{_share(had, one.entries)} → {_share(has, one.entries)} of the time, {one.samples:,} samples"
            typer.echo(f"{one.name}: {words}")
        else:
            why = "complete" if had == one.entries else "nothing more was measured"
            typer.echo(f"{one.name}: {_share(had, one.entries)} of the time, {why}")
    for line in _next_steps(done, asked):
        typer.echo(line, err=True)


def _next_steps(done: "Done", asked: "Asked") -> Iterator[str]:
    from flyball.backfilling.run import Method

    if asked.dry_run:
        yield f"Nothing was written; it would go by {done.method.value}."
        return
    if done.method is Method.OPENMETRICS:
        yield f"Written to {done.out}."
    elif done.blocks and asked.data is None:
        yield (
            f"{len(done.blocks)} blocks are in {done.out}. Move them into Prometheus' data: mv {done.out}/* DATA/ "
            "(before 2.39 it needs --storage.tsdb.allow-overlapping-blocks). It takes them within a minute."
        )
    if done.left_from is not None:
        at = done.left_from.strftime("%Y-%m-%d %H:%M UTC")
        yield (
            f"What happened since {at} is in Prometheus' memory, where no block may reach: run this again in 4 hours "
            "to fill that, too."
        )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4g} %" if whole else "nothing"


def _json(done: "Done", asked: "Asked") -> str:
    import json

    document = {
        "method": done.method.value,
        "dryRun": asked.dry_run,
        "until": done.until.isoformat(),
        "leftFrom": done.left_from.isoformat() if done.left_from else None,
        "out": str(done.out) if done.out else None,
        "blocks": list(done.blocks),
        "waiting": done.waiting,
        "samples": sum(one.samples for one in done.filled),
        "slos": [
            {
                "slo": one.name,
                "entries": one.entries,
                "recorded": one.recorded,
                "written": one.written,
                "coverage": round(one.coverage, 6),
                "samples": one.samples,
                "series": one.series,
            }
            for one in done.filled
        ],
    }
    return json.dumps(document, indent=2) + "\n"

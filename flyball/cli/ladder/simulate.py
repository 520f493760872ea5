"""`flyball ladder simulate`: what ladders would have done in the past."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail, one_or_exit
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from finops.ladder.simulation.fail_on import FailOn
    from finops.ladder.simulation.model import Options, Simulation
    from finops.ladder.simulation.recorded import Progress
    from finops.ladder.simulation.traffic import Traffic
    from flyball.backtest.policies import Found, Policy
    from flyball.backtest.simulating import Span
    from flyball.settings import Settings

_USUAL: Final = "30d"
_LONGEST: Final = timedelta(days=400)
_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it
_MOST_TIERS: Final = 99


class ModeOption(Enum):
    """In which mode ladders are simulated."""

    ENFORCE = "enforce"
    AS_WRITTEN = "as-written"


def simulate(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")] = Path(),
    ladder: Annotated[str, typer.Option(metavar="NAME", help="Only this ladder.", show_default="all")] = "",
    since: Annotated[
        str,
        typer.Option(help="How far back (30d, 36h), or a time in RFC 3339.", show_default="30d; with --focus all"),
    ] = "",
    until: Annotated[str, typer.Option(help="A time in RFC 3339, or how long ago (2d).", show_default="now")] = "",
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    focus: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Charges in FOCUS format (CSV, Parquet) in place of Prometheus; repeatable."),
    ] = None,
    traffic: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --focus: a CSV of time,units[,users], hourly or finer.")
    ] = None,
    users_query: Annotated[
        str, typer.Option(metavar="PROMQL", help="How many users there were, for user-minutes.")
    ] = "",
    compare: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE|DIR", help="Another policy, side by side; repeatable."),
    ] = None,
    mode: Annotated[
        ModeOption, typer.Option(help="As if the ladder acted by itself, or in the mode of its file.")
    ] = ModeOption.ENFORCE,
    approvals: Annotated[
        bool, typer.Option("--assume-approvals/--no-approvals", help="Whether people approve what they are asked for.")
    ] = True,
    approval_after: Annotated[
        str, typer.Option(metavar="LENGTH", help="How long that takes them.", show_default="no time")
    ] = "",
    journey_takes: Annotated[str, typer.Option(metavar="LENGTH", help="How long each journey of a step runs.")] = "30s",
    journey_failures: Annotated[
        str, typer.Option(metavar="SHARE", help="The share of steps up that a red journey undoes, as 0.1.")
    ] = "0",
    seed: Annotated[int, typer.Option(help="Which of them: another number, another draw.")] = 0,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="TIER=NUMBER", help="How much a minute in a tier counts as degraded; 1 by default."),
    ] = None,
    flap_within: Annotated[
        str,
        typer.Option(metavar="LENGTH", help="How soon a reversal is a flap.", show_default="2 × the longest wait"),
    ] = "",
    fail_on: Annotated[
        list[str] | None, typer.Option(metavar="CONDITION", help="Exit 1 when it holds: 'flaps>0'; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page, too.")] = None,
) -> None:
    """Run ladders over the past: the timeline of tiers, money saved, user-minutes degraded, flaps.

    The controller decides as it would have in production, on the same signals; what its tiers would have saved lowers
    them. Nothing is written anywhere. Times are UTC.

    Figures for --fail-on: flaps, moves, undone, saved, degraded_minutes, degraded_user_minutes, max_tier, held_minutes,
    minutes_without_data; with > >= < <= == != and a number. They are held against the workspace's own ladders.

    Exit status: 0 when there is a report, 1 when a --fail-on condition holds or files have mistakes, 2 when an option
    cannot be read, 3 when Prometheus or a file can't be read.

    \b
    Examples:
      flyball ladder simulate
      flyball ladder simulate --since 30d --fail-on "flaps>0" --fail-on "max_tier>=5"
      flyball ladder simulate --compare policies/careful.yaml --html backtest.html
      flyball ladder simulate --focus bills/2026-11.csv --traffic traffic.csv
      flyball ladder simulate --no-approvals --journey-failures 0.1 --seed 7
      flyball ladder simulate --json | jq '.policies[0].totals'
    """
    conditions = [_condition(text) for text in fail_on or ()]
    after = _approval_after(approval_after, approvals)
    options = _options(after, journey_takes, (journey_failures, seed), weight or [], flap_within)
    settings = settings_or_exit(folder, {"prometheus.url": prometheus})
    own = _policies(folder, ladder)
    others = [each for path in compare or () for each in _others(path, folder, own)]
    policies = [*own, *others]
    _check_weights(options, policies)
    if mode is ModeOption.ENFORCE:
        from flyball.backtest.policies import as_if_enforced

        policies = [as_if_enforced(each) for each in policies]
    if traffic is not None and not focus:
        raise typer.BadParameter("goes with --focus", param_hint="--traffic")
    if users_query and focus:
        raise typer.BadParameter("goes with Prometheus; --traffic has a column users", param_hint="--users-query")
    if focus:
        simulations = _billed(policies, options, (focus, traffic), since, until)
    else:
        simulations = _simulated(policies, options, settings, since, until, users_query)
    failed = [
        (each.label, condition)
        for each in simulations[: len(own)]
        for condition in conditions
        if condition.holds(each.totals)
    ]
    _report(simulations, failed, as_json=as_json, html=html)
    if failed:
        raise typer.Exit(ExitCode.PROBLEMS)


# --- what was asked for ----------------------------------------------------------------------------------------------


def _condition(text: str) -> "FailOn":
    from finops.ladder.simulation.fail_on import fail_on

    try:
        return fail_on(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fail-on") from None


def _span(since: str, until: str, now: datetime) -> "Span":
    from flyball.backtest.simulating import Span

    end = _moment(until, now, "--until") if until else now
    begin = _moment(since, end, "--since")
    if not timedelta(minutes=1) <= end - begin <= _LONGEST:
        raise typer.BadParameter(f"must be before --until, by {_LONGEST.days} days at most", param_hint="--since")
    if end > now:
        raise typer.BadParameter("lies in the future", param_hint="--until")
    return Span(_minute(begin), _minute(end))


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _moment(text: str, before: datetime, option: str) -> datetime:
    """A time, or a length before another one."""
    from slo.replay.times import moment_before

    try:
        return moment_before(text, before)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _options(
    after: timedelta | None, journey_takes: str, failures: tuple[str, int], weights: Sequence[str], flap_within: str
) -> "Options":
    from finops.ladder.simulation.model import Options
    from flyball.cli.ladder.opening import length_or_exit

    share, seed = failures
    return Options(
        approval_after=after,
        journey_takes=length_or_exit(journey_takes, "--journey-takes"),
        journey_failures=_number(share, "--journey-failures", Decimal(1)),
        seed=seed,
        weights=dict(_weight(text) for text in weights),
        flap_within=length_or_exit(flap_within, "--flap-within") if flap_within else None,
    )


def _approval_after(text: str, assumed: bool) -> timedelta | None:
    """How long people take to approve; None when they never do."""
    from flyball.cli.ladder.opening import length_or_exit

    if text and not assumed:
        raise typer.BadParameter("nobody approves with --no-approvals", param_hint="--approval-after")
    if not assumed:
        return None
    return length_or_exit(text, "--approval-after") if text else timedelta(0)


def _number(text: str, option: str, most: Decimal) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or not 0 <= number <= most:
        raise typer.BadParameter(f"`{text}` is no number from 0 to {most}", param_hint=option)
    return number


def _weight(text: str) -> tuple[int, Decimal]:
    tier, equals, number = text.partition("=")
    if not equals or not tier.strip().isdecimal() or not 1 <= int(tier) <= _MOST_TIERS:
        raise typer.BadParameter(f"`{text}` is not TIER=NUMBER: write it as 3=0.5", param_hint="--weight")
    return int(tier), _number(number.strip(), "--weight", Decimal(1_000_000))


def _check_weights(options: "Options", policies: "Sequence[Policy]") -> None:
    """A weight that weighs nothing was meant for another tier."""
    top = max(len(each.ladder.tiers) for each in policies)
    for tier in options.weights:
        if tier > top:
            raise typer.BadParameter(f"there is no tier {tier}: the highest is {top}", param_hint="--weight")


# --- which policies --------------------------------------------------------------------------------------------------


def _policies(folder: Path, name: str) -> "list[Policy]":
    from flyball.backtest.policies import of_workspace

    found = {each.ladder.name: each for each in _sound(of_workspace(folder))}
    if not found:
        hint = "docs/how-to/write-a-ladder.md says how to write one"
        fail(f"{folder} declares no Ladder: {hint}", ExitCode.PROBLEMS)
    if not name:
        return list(found.values())
    return [found[one_or_exit({each: policy.ladder for each, policy in found.items()}, name, "Ladder").name]]


def _others(path: Path, folder: Path, own: "Sequence[Policy]") -> "list[Policy]":
    """Of several ladders there those that are called as ours are, where there are any."""
    from flyball.backtest.policies import of_other

    try:
        found = _sound(of_other(path, folder))
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.OUTSIDE)
    if not found:
        fail(f"{path} declares no Ladder to compare with", ExitCode.PROBLEMS)
    names = {each.ladder.name for each in own}
    return [each for each in found if each.ladder.name in names] or found


def _sound(found: "Found") -> "list[Policy]":
    """The policies, when their files have no mistakes."""
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors
    from flyball.shown_sources import showable

    if has_errors(found.problems):
        sources = {path: showable(path, Path(path).read_bytes()) for path in {each.path for each in found.problems}}
        fail(as_text(list(found.problems), sources, sys.stderr.isatty()), ExitCode.PROBLEMS)
    if found.to_check:
        things = "thing" if found.to_check == 1 else "things"
        typer.echo(f"flyball check has {found.to_check} {things} to say about these ladders", err=True)
    return list(found.policies)


# --- the work --------------------------------------------------------------------------------------------------------


def _simulated(
    policies: "Sequence[Policy]", options: "Options", settings: "Settings", since: str, until: str, users_query: str
) -> "list[Simulation]":
    from flyball.backtest.simulating import over_prometheus

    now = _now()
    span = _span(since or _USUAL, until, now)
    with _told():
        return over_prometheus(policies, options, span, settings, users_query, _progress)


def _billed(
    policies: "Sequence[Policy]",
    options: "Options",
    files: tuple[Sequence[Path], Path | None],
    since: str,
    until: str,
) -> "list[Simulation]":
    from finops.ladder.simulation.traffic import Traffic
    from flyball.backtest.bills import UnusableBills
    from flyball.backtest.simulating import Files, Span, over_bills

    def span_of(start: datetime, end: datetime) -> Span:
        asked = _moment(until, end, "--until") if until else end
        last = min(asked, end)
        begin = _moment(since, last, "--since") if since else start
        if since and until and begin >= asked:
            raise typer.BadParameter("must be before --until", param_hint="--since")
        return Span(_minute(max(begin, start)), _minute(last))

    bills, traffic_file = files
    traffic = _traffic(traffic_file) if traffic_file else Traffic((), timedelta(hours=1))
    with _told():
        try:
            return over_bills(policies, options, Files(bills, traffic), _now(), span_of)
        except UnusableBills as error:
            from controlplane.problem_report import as_text

            fail(as_text(error.problems, {}, sys.stderr.isatty()), ExitCode.PROBLEMS)


def _traffic(path: Path) -> "Traffic":
    from controlplane.problem_report import as_text
    from finops.ladder.simulation.traffic import LONGEST_BYTES, read_traffic

    try:
        with path.open("rb") as stream:
            content = stream.read(LONGEST_BYTES + 1)
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.OUTSIDE)
    found = read_traffic(str(path), content)
    if found.problems:
        fail(as_text(list(found.problems), {str(path): content}, sys.stderr.isatty()), ExitCode.PROBLEMS)
    return found


@contextmanager
def _told() -> "Iterator[None]":
    """What the outside says when it fails ends the program."""
    from controlplane.ports import Permanent, Transient

    try:
        yield
    except (Transient, Permanent) as error:
        fail(f"Not simulated: {error}", ExitCode.OUTSIDE)
    except KeyboardInterrupt:
        typer.echo("Interrupted; nothing was written.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _now() -> datetime:
    from controlplane.adapters.clock import SystemClock

    return SystemClock().now()


@contextmanager
def _progress(title: str) -> "Iterator[Progress]":
    """A bar with an estimate on a terminal, two lines elsewhere."""
    from flyball.demo.steps import steps_on

    with steps_on(sys.stderr) as steps, steps.step(title) as report:
        yield report


def _report(
    simulations: "Sequence[Simulation]", failed: "Sequence[tuple[str, FailOn]]", *, as_json: bool, html: Path | None
) -> None:
    if as_json:
        from finops.ladder.simulation.as_json import as_json as text
    else:
        from finops.ladder.simulation.as_text import as_text as text
    if html is not None:
        _write(html, simulations, failed)
    typer.echo(text(simulations, failed), nl=False)


def _write(path: Path, simulations: "Sequence[Simulation]", failed: "Sequence[tuple[str, FailOn]]") -> None:
    from flyball.backtest.page import as_html

    try:
        path.write_text(as_html(simulations, failed), encoding="utf-8")
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.OUTSIDE)
    typer.echo(f"Written to {path}", err=True)

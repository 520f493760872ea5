"""`flyball anomaly feedback`: say that a time was expected, or that something was really wrong."""

from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.anomaly.opening import AsJSON, Database, answer, detectors_or_exit, moment_or_exit, opened
from flyball.cli.asking import login_name, now
from flyball.cli.declared import fail, one_or_exit

if TYPE_CHECKING:
    from controlplane.model.anomaly import Feedback, Verdict
    from controlplane.store import SqlStore
    from flyball.anomaly_saying import Kept

_LONGEST: Final = timedelta(days=60)
_LONGEST_NOTE: Final = 1000
_LONGEST_SERIES: Final = 4000


class VerdictOption(Enum):
    """What was the matter."""

    EXPECTED = "expected"
    REAL = "real"


class FitOption(Enum):
    """Whether the time is learnt from."""

    KEEP = "keep"
    MASK = "mask"


def feedback(
    subject: Annotated[
        str,
        typer.Argument(metavar="[DETECTOR|EPISODE]", help="A detector, or the id of an episode."),
    ] = "",
    what: Annotated[
        str, typer.Argument(metavar="[SERIES|VERDICT]", help="Of a detector a series; of an episode expected or real.")
    ] = "",
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")] = Path(),
    first: Annotated[str, typer.Option("--from", metavar="TIME", help="RFC 3339, or how long ago (2h).")] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="The same.", show_default="now")] = "",
    verdict: Annotated[VerdictOption | None, typer.Option("--verdict", help="Of a detector's time.")] = None,
    fit: Annotated[
        FitOption | None,
        typer.Option("--fit", help="Whether it is learnt from.", show_default="expected: keep, real: mask"),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; kept with it.")] = "",
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who says so; audited.", show_default="your login name")
    ] = "",
    show_all: Annotated[bool, typer.Option("--list", help="List what was said.")] = False,
    withdraw: Annotated[str, typer.Option("--withdraw", metavar="ID", help="Take back what was said.")] = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Say of an anomaly that it was expected (it is learnt from) or real (it is not, so that it widens no band).

    Of an episode its whole time is meant; of a detector --from … --to of a series, or of all of them with `all`. It
    takes effect when models are next fitted; an open episode that was expected ends with the next cycle. The same said
    again is kept once. What is said later counts where two speak of the same time.

    Exit status: 0, 1 when nothing has that name, 2 when an option is wrong, 3 when the database failed.

    \b
    Examples:
      flyball anomaly feedback 4f1d2c9a77e0b513 expected --note 'load test'
      flyball anomaly feedback gateway-traffic '{service="checkout"}' --from 2h --verdict real
      flyball anomaly feedback gateway-traffic all --from 2026-11-27T00:00Z --to 2026-11-28T00:00Z --verdict expected
      flyball anomaly feedback --list
      flyball anomaly feedback --withdraw 9c0e5d1b2a334455
    """
    if show_all:
        _list(folder, database, subject, as_json=as_json)
        return
    actor = by or login_name()
    if withdraw:
        _withdraw(folder, database, withdraw, actor, as_json=as_json)
        return
    if not subject:
        raise typer.BadParameter("name an episode or a detector, or say --list", param_hint="DETECTOR|EPISODE")
    if len(note) > _LONGEST_NOTE:
        raise typer.BadParameter(f"is longer than {_LONGEST_NOTE} characters", param_hint="--note")
    is_learnt = None if fit is None else fit is FitOption.KEEP
    with opened(folder, database) as store:
        if what in {each.value for each in VerdictOption} and not first:
            kept = _of_episode(store, folder, subject, VerdictOption(what), actor, note=note, is_learnt=is_learnt)
        else:
            said = _of_detector(folder, subject, what, (first, until), verdict, actor, note=note, is_learnt=is_learnt)
            kept = _keep(store, said)
    _tell(kept, as_json=as_json)


def _verdict(option: VerdictOption) -> "Verdict":
    from controlplane.model.anomaly import Verdict

    return Verdict(option.value)


def _of_episode(
    store: "SqlStore",
    folder: Path,
    identity: str,
    verdict: VerdictOption,
    actor: str,
    *,
    note: str,
    is_learnt: bool | None,
) -> "Kept":
    from flyball.anomaly_saying import say_of_episode

    kept = say_of_episode(store, identity, _verdict(verdict), actor=actor, now=now(), note=note, is_learnt=is_learnt)
    if kept is None:
        if identity in detectors_or_exit(folder):
            raise typer.BadParameter("of a detector: SERIES --from … --verdict …", param_hint="SERIES|VERDICT")
        fail(f"no episode has the id `{identity[:40]}`: flyball anomaly episodes lists them", ExitCode.PROBLEMS)
    return kept


def _of_detector(
    folder: Path,
    name: str,
    series: str,
    span: tuple[str, str],
    verdict: VerdictOption | None,
    actor: str,
    *,
    note: str,
    is_learnt: bool | None,
) -> "Feedback":
    from alerts.anomaly.feedback.saying import feedback_of

    detector = one_or_exit(detectors_or_exit(folder), name, "AnomalyDetector")
    at = now()
    if not series:
        raise typer.BadParameter("name a series, or say `all`", param_hint="SERIES|VERDICT")
    if verdict is None:
        raise typer.BadParameter("say --verdict expected or --verdict real", param_hint="--verdict")
    if not span[0]:
        raise typer.BadParameter("say when it began: a time in RFC 3339, or how long ago (2h)", param_hint="--from")
    end = moment_or_exit(span[1], at, "--to") if span[1] else at
    start = moment_or_exit(span[0], at, "--from")
    if not timedelta(0) < end - start <= _LONGEST:
        raise typer.BadParameter(f"must lie before --to, by {_LONGEST.days} days at most", param_hint="--from")
    start, end = _whole(start, detector.step), _whole(end, detector.step, up=True)
    return feedback_of(
        detector=name,
        start=start,
        end=end,
        verdict=_verdict(verdict),
        actor=actor,
        said_at=at,
        series=_series(series),
        is_learnt=is_learnt,
        note=note,
    )


def _whole(at: datetime, step: timedelta, *, up: bool = False) -> datetime:
    """The whole step that a time lies in, so that the same words said twice mean the same time."""
    from alerts.anomaly.scoring.steps import index_at, index_from, time_of

    return time_of(index_from(at, step) if up else index_at(at, step), step)


def _series(text: str) -> str:
    """As episodes name it; empty for all."""
    from alerts.anomaly.explaining.selecting import selector
    from alerts.anomaly.scoring.lineup import series_text
    from controlplane.model.matcher import MatchOperator

    if text == "all":
        return ""
    try:
        matchers = selector(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="SERIES|VERDICT") from None
    if any(each.operator is not MatchOperator.EQUAL for each in matchers) or len(text) > _LONGEST_SERIES:
        raise typer.BadParameter("one series, all of its labels: name=value", param_hint="SERIES|VERDICT")
    return series_text({each.name: each.value for each in matchers})


def _keep(store: "SqlStore", said: "Feedback") -> "Kept":
    from flyball.anomaly_saying import keep

    return keep(store, said, now())


def _tell(kept: "Kept", *, as_json: bool) -> None:
    from alerts.anomaly.backtesting.listed import feedback_data

    said = kept.feedback
    learnt = "learnt from" if said.is_learnt else "not learnt from"
    series = said.series or " (all series)"
    text = (
        f"{'Kept' if kept.is_new else 'Said already'}: {said.detector}{series}, {said.start:%Y-%m-%d %H:%M} to "
        f"{said.end:%Y-%m-%d %H:%M} UTC, {said.verdict.value}, {learnt}, beginning with the next fit. "
        f"flyball anomaly feedback --withdraw {said.id} takes it back."
    )
    answer({"feedback": feedback_data(said), "is_new": kept.is_new}, text, as_json=as_json)


def _list(folder: Path, database: str, detector: str, *, as_json: bool) -> None:
    from alerts.anomaly.backtesting.listed import feedback_data, feedback_text

    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        said = transaction.anomalies.feedback(detector or None)
    text = feedback_text(said) if said else "Nobody has said anything yet: flyball anomaly feedback --help says how."
    answer({"feedback": [feedback_data(each) for each in said]}, text, as_json=as_json)


def _withdraw(folder: Path, database: str, identity: str, actor: str, *, as_json: bool) -> None:
    from flyball.anomaly_saying import take_back

    with opened(folder, database) as store:
        found = take_back(store, identity, actor=actor, now=now())
    if not found:
        fail(f"nothing was said with the id `{identity[:40]}`: flyball anomaly feedback --list", ExitCode.PROBLEMS)
    answer({"withdrawn": identity}, f"Withdrawn: {identity}. It counts no more from the next fit on.", as_json=as_json)

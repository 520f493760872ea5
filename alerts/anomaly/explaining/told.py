"""An explanation in a terminal, and for programs."""

from collections.abc import Iterator
from typing import Final

from alerts.anomaly.explaining.model import Earlier, Explained, StepFacts
from alerts.anomaly.explaining.sentences import baseline_words
from alerts.anomaly.model import AnomalyDetector, Maturity
from controlplane import wording

_MATURITIES: Final = {
    Maturity.COLD: "nothing to compare with yet",
    Maturity.LEVEL: "less than a day: the level alone",
    Maturity.DAILY: "1 to 14 days: days are compared",
    Maturity.WEEKLY: "two weeks or more: weeks are compared, too",
}
_LEAST_SHARE: Final = 0.01  # of what a group is off by, to be worth a line
_CHANNELS: Final = (
    ("seasonal", "off its season"),
    ("slow", "off for longer"),
    ("range_all", "outside of all that was"),
    ("range_recent", "outside of the past 14 days"),
)


def explained_text(found: Explained, detector: AnomalyDetector) -> str:
    """What, where, next. Times are UTC."""
    facts = found.facts
    lines = [f"{detector.display_name or detector.name}: {found.series}, {wording.utc(facts.at)}", found.said, ""]
    lines += [*_figures(facts), ""]
    lines += [*_rarities(facts), ""]
    lines += list(_before(found.earlier, facts.value))
    if found.members:
        lines += ["", f"Of what its group {found.group} is off by:"]
        shown = [each for each in found.members if abs(each.share) >= _LEAST_SHARE]
        lines += [f"  {wording.percent(each.share):>8}  {each.series}" for each in shown]
    lines += ["", *(f"Calendar: {each}." for each in found.notes)] if found.notes else []
    lines += [f"Note: {each}" for each in found.warnings]
    return "\n".join(lines).rstrip()


def _figures(facts: StepFacts) -> Iterator[str]:
    yield f"  value     {_said(facts.value)}"
    band = "" if facts.lower is None or facts.upper is None else f"  ({_said(facts.lower)} to {_said(facts.upper)})"
    yield f"  expected  {_said(facts.expected)}{band}"
    if facts.expected is not None:
        yield f"  baseline  {baseline_words(facts.baseline) or 'none'}"
    yield f"  past      {_MATURITIES[facts.maturity]}"
    if facts.is_shift:
        yield "  shift     from here on a new level is taken as the new normal"


def _rarities(facts: StepFacts) -> Iterator[str]:
    if facts.point is None and facts.sustained is None:
        return
    yield f"  {'HOW RARE':<34}{'−log10 p':>8}"
    for name, words in _CHANNELS:
        value: float | None = getattr(facts.channels, name)
        yield f"  {words:<34}{'' if value is None else f'{value:.2f}':>8}"
    for words, value, score in (
        ("point: all but the second, mean", facts.point, facts.score),
        ("sustained: all, mean", facts.sustained, facts.sustained_score),
    ):
        shown = "" if score is None else f"  score {wording.significant(score)} (above 1 is anomalous)"
        yield f"  {words:<34}{'' if value is None else f'{value:.2f}':>8}{shown}"


def _before(earlier: tuple[Earlier, ...], value: float | None) -> Iterator[str]:
    if not earlier:
        yield "  There is no earlier day to compare with."
        return
    yield "  THE SAME TIME BEFORE            VALUE"
    for each in earlier:
        kind = "week" if each.is_weekly else "day"
        yield f"  {each.at:%a %Y-%m-%d %H:%M} {kind:<6} {_said(each.value):>10}"


def _said(value: float | None) -> str:
    return wording.MISSING if value is None else wording.count(value)


def explained_data(found: Explained) -> dict[str, object]:
    """For `--json`: figures as numbers, null where there is none."""
    facts = found.facts
    return {
        "detector": found.detector,
        "series": found.series,
        "at": f"{facts.at:%Y-%m-%dT%H:%M:%SZ}",
        "would_alert": found.would_alert,
        "open_since": None if found.open_since is None else f"{found.open_since:%Y-%m-%dT%H:%M:%SZ}",
        "said": found.said,
        "value": facts.value,
        "yhat": facts.expected,
        "yhat_lower": facts.lower,
        "yhat_upper": facts.upper,
        "point": facts.point,
        "sustained": facts.sustained,
        "anomaly_score": facts.score,
        "sustained_score": facts.sustained_score,
        "channels": {name: getattr(facts.channels, name) for name, _ in _CHANNELS},
        "baseline": facts.baseline,
        "maturity": int(facts.maturity),
        "is_shift": facts.is_shift,
        "earlier": [
            {"at": f"{each.at:%Y-%m-%dT%H:%M:%SZ}", "value": each.value, "weekly": each.is_weekly}
            for each in found.earlier
        ],
        "notes": list(found.notes),
        "group": found.group,
        "members": [{"series": each.series, "share": each.share} for each in found.members],
        "warnings": list(found.warnings),
    }

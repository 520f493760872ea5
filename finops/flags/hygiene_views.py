"""Flags as tables of at most 80 columns, and as data."""

from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap
from typing import Final

from controlplane.model.event import JSON
from controlplane.wording import duration
from finops.flags.comparing import shown
from finops.flags.hygiene import Finding, FlagReport

_FLAG_WIDTH: Final = 28
_OWNER_WIDTH: Final = 15
_VALUE_WIDTH: Final = 9
_ADVICE: Final = {
    Finding.MISSING: "create it in the store, or take it off the allow-list",
    Finding.ARCHIVED: "take it off the allow-list, or revive it in the store",
    Finding.EXPIRED: "remove it from the code, or give it a later day",
    Finding.UNUSED: "no application asks for it: remove it",
    Finding.NO_LADDER: "no tier sets it: take it off the allow-list",
    Finding.LEFT_ON: "put it back, or make it normal",
    Finding.SAME: "write it into the code",
}


def list_text(reports: Sequence[FlagReport], now: datetime) -> str:
    """A line for each flag under its store: value now, owner, expiry, last evaluation; then what was not to be had."""
    lines = [f"{'FLAG':<{_FLAG_WIDTH}}  {'NOW':<{_VALUE_WIDTH}}  {'OWNER':<{_OWNER_WIDTH}}  {'EXPIRES':<10}  ASKED FOR"]
    for store in dict.fromkeys(report.store for report in reports):
        lines += ["", f"{store}:"]
        lines += [_line(report, now) for report in reports if report.store == store]
    return "\n".join([*lines, *_faults(reports)])


def sunset_text(reports: Sequence[FlagReport], now: datetime) -> str:
    """Stale flags with what is wrong and what to do; one sentence when there is none."""
    stale = [report for report in reports if report.is_stale]
    if not stale:
        return "\n".join([f"No stale flag among {len(reports)}.", *_faults(reports)])
    lines: list[str] = []
    for report in stale:
        lines.append(f"{_cut(f'{report.store}/{report.flag.name}', 57)}  {_cut(report.flag.owner, 20)}")
        lines += [f"  {finding.value:<9}  {_because(report, finding, now)}" for finding in report.findings]
    count = f"{len(stale)} of {len(reports)} flags {'is' if len(stale) == 1 else 'are'} stale."
    return "\n".join([*lines, "", count, *_faults(reports)])


def data(reports: Sequence[FlagReport]) -> JSON:
    """Every flag with all that is known; times in ISO 8601, None for what is not known."""
    return [
        {
            "store": report.store,
            "flag": report.flag.name,
            "type": report.flag.type.value,
            "value": report.value,
            "normal": report.flag.normal,
            "owner": report.flag.owner,
            "expires": report.flag.expires.isoformat() if report.flag.expires else None,
            "lastEvaluated": _iso(report.use.last_evaluated),
            "createdAt": _iso(report.use.created_at),
            "changedAt": _iso(report.changed_at),
            "archived": report.use.is_archived,
            "usedBy": list(report.used_by),
            "findings": [finding.value for finding in report.findings],
            "note": report.use.note,
            "fault": report.fault,
        }
        for report in reports
    ]


def _line(report: FlagReport, now: datetime) -> str:
    value = "unknown" if report.fault else shown(report.value)
    mark = "" if report.is_normal else "*"
    expires = report.flag.expires.isoformat() if report.flag.expires else "–"
    return (
        f"{_cut(report.flag.name, _FLAG_WIDTH):<{_FLAG_WIDTH}}  {_cut(value, _VALUE_WIDTH - 1) + mark:<{_VALUE_WIDTH}}"
        f"  {_cut(report.flag.owner, _OWNER_WIDTH):<{_OWNER_WIDTH}}  {expires:<10}  {_asked(report, now)}"
    ).rstrip()


def _asked(report: FlagReport, now: datetime) -> str:
    if report.use.last_evaluated is None:
        return "unknown"
    days = (now - report.use.last_evaluated).days
    return "today" if days < 1 else f"{days} d ago"


def _because(report: FlagReport, finding: Finding, now: datetime) -> str:
    since = {
        Finding.EXPIRED: f"on {report.flag.expires}",
        Finding.UNUSED: _ago(report.use.last_evaluated, now) or "never asked for",
        Finding.LEFT_ON: f"{_cut(shown(report.value), 12)}{_since(report, now)}",
        Finding.SAME: f"{_cut(shown(report.value), 12)}{_since(report, now)}",
    }.get(finding, "")
    return f"{since}: {_ADVICE[finding]}" if since else _ADVICE[finding]


def _since(report: FlagReport, now: datetime) -> str:
    since = report.changed_at or report.use.created_at
    return f" for {duration(now - since)}" if since else ""


def _ago(at: datetime | None, now: datetime) -> str:
    return f"{duration(now - at)} ago" if at else ""


def _faults(reports: Sequence[FlagReport]) -> list[str]:
    told = dict.fromkeys((report.store, report.fault) for report in reports if report.fault)
    return (
        ["", *(line for store, fault in told for line in wrap(f"{store} was not to be read: {fault}", 80))]
        if told
        else []
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"

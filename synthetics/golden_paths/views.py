"""Coverage of golden paths for people and programs: a table and its sentences, and JSON."""

from collections.abc import Iterator, Sequence
from typing import Final

from controlplane import wording
from controlplane.model.event import JSON
from synthetics.golden_paths.coverage import Coverage, FoundGap, NotKnown, PathCoverage, State

HEADER: Final = ("golden path", "state", "routes", "SLOs", "journeys", "probes")
_NAMED: Final = 3


def state_words(each: PathCoverage) -> str:
    """`covered`, `2 gaps`, `unknown`, `1 gap accepted`."""
    accepted = len(each.gaps) - len(each.open_gaps)
    if each.state is State.ACCEPTED:
        return f"{_count(accepted, 'gap')} accepted"
    said = _count(len(each.open_gaps), "gap") if each.open_gaps else each.state.value
    return f"{said} ({accepted} accepted)" if accepted else said


def table_rows(found: Coverage) -> tuple[tuple[str, ...], ...]:
    """A row for each path, in the columns of `HEADER`."""
    return tuple(
        (
            each.path.name if each.path.is_critical else f"{each.path.name} (not critical)",
            state_words(each),
            str(len(each.routes)),
            str(len(each.path.slos)),
            str(len(each.path.journeys)),
            str(len(each.path.probes)),
        )
        for each in found.paths
    )


def sentences(found: Coverage) -> Iterator[str]:
    """What is missing, what is accepted and what is not known: a line each, most urgent first."""
    for gap in sorted(found.gaps, key=lambda each: each.accepted is not None):
        yield gap_sentence(gap)
    yield from (f"unknown: {told}" for told in unknown_sentences(found.not_known))


def gap_sentence(gap: FoundGap) -> str:
    """`core-flow: not-run: journey core-flow: ran 7 h ago; …`."""
    where = f"{gap.path}: " if gap.path else ""
    subject = "" if gap.subject == gap.path else f"{gap.subject}: "
    if gap.accepted:
        return f"{where}{gap.gap.value}: {subject}accepted until {gap.accepted.until}: {gap.accepted.reason}"
    return f"{where}{gap.gap.value}: {subject}{gap.detail}"


def unknown_sentences(unknown: Sequence[NotKnown]) -> Iterator[str]:
    """A line for each reason: `no database was asked: core-flow (journey core-flow), search (probe x) and 3 more`."""
    by_reason: dict[str, list[str]] = {}
    for each in unknown:
        subject = f"{each.path} ({each.subject})" if each.path else each.subject
        by_reason.setdefault(each.why, []).append(subject)
    for why, subjects in by_reason.items():
        more = f" and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
        yield f"{why}: {', '.join(subjects[:_NAMED])}{more}"


def conclusion(found: Coverage) -> str:
    """One line: `3 golden paths: 2 covered, 1 with gaps; 1 route on no path`."""
    if not found.paths:
        return "no GoldenPath is declared: docs/how-to/enforce-golden-paths.md says how to write one"
    counts = [(state, sum(each.state is state for each in found.paths)) for state in State]
    words = {State.GAPS: "with gaps", State.ACCEPTED: "with accepted gaps"}
    told = ", ".join(f"{count} {words.get(state, state.value)}" for state, count in counts if count)
    strays = "" if found.strays is None else f"; {_count(len(found.strays), 'route')} on no path"
    return f"{_count(len(found.paths), 'golden path')}: {told}{strays}"


def as_data(found: Coverage) -> dict[str, JSON]:
    """For programs. `routesOnNoPath` is null while it is not known."""
    return {
        "at": found.at.isoformat(),
        "paths": [_path_data(each) for each in found.paths],
        "routesOnNoPath": None
        if found.strays is None
        else [
            {
                "inventory": stray.inventory,
                "service": stray.traffic.service,
                "method": stray.traffic.method,
                "route": stray.traffic.route,
                "requestsPerDay": _rounded(stray.traffic.per_day),
            }
            for stray in found.strays
        ],
        "gaps": [_gap_data(gap) for gap in found.gaps],
        "unknown": [{"path": each.path, "subject": each.subject, "why": each.why} for each in found.not_known],
        "enforced": len(found.enforced),
    }


def _path_data(each: PathCoverage) -> dict[str, JSON]:
    path = each.path
    return {
        "name": path.name,
        "displayName": path.display_name,
        "owner": path.owner,
        "critical": path.is_critical,
        "state": each.state.value,
        "slos": _texts(path.slos),
        "maxAgeSeconds": int(path.max_age.total_seconds()),
        "routes": [
            {
                "service": route.route.service,
                "method": route.route.method,
                "route": route.route.route,
                "labels": dict(route.route.labels),
                "state": route.state.value,
                "requestsPerDay": None if route.per_day is None else _rounded(route.per_day),
            }
            for route in each.routes
        ],
        "checks": [
            {
                "kind": check.kind.value,
                "name": check.name,
                "state": check.state.value,
                "verdict": check.verdict.value if check.verdict else None,
                "lastRunAt": check.last_run_at.isoformat() if check.last_run_at else None,
            }
            for check in each.checks
        ],
        "gaps": [_gap_data(gap) for gap in each.gaps],
    }


def _gap_data(gap: FoundGap) -> dict[str, JSON]:
    accepted = gap.accepted
    return {
        "gap": gap.gap.value,
        "path": gap.path,
        "subject": gap.subject,
        "detail": gap.detail,
        "enforced": gap.is_enforced and accepted is None,
        "acceptedUntil": accepted.until.isoformat() if accepted else None,
        "acceptedBecause": accepted.reason if accepted else None,
    }


def _texts(values: Sequence[str]) -> list[JSON]:
    return list(values)


def _rounded(value: float) -> str:
    """Requests a day as a decimal text: events and JSON of ours hold no floats."""
    return wording.significant(value, 6).replace("−", "-")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

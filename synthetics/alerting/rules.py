"""The rule file of checks: what is declared as series, and the alerts, which join it to what was measured.

The number of alerts does not grow with the number of checks: `check:info` says of each whose it is.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import check_names
from controlplane import conventions as names
from controlplane.burn_rate import duration, number, seconds
from controlplane.model.check import CheckKind, RegionState
from controlplane.model.rule import AlertingRule, Labels, RecordingRule, Rule, RuleFile, RuleGroup
from synthetics.alerting import texts
from synthetics.alerting.model import URGENT_CERTIFICATE_DAYS, AlertedCheck, Path

FILE: Final = "synthetics-checks.yaml"
MINUTE: Final = timedelta(minutes=1)
SILENT_AFTER: Final = timedelta(minutes=3)
PAGE_STALE_AFTER: Final = timedelta(minutes=5)
OVERDUE_PAGES_AFTER: Final = timedelta(minutes=15)
_DAY: Final = Decimal(86_400)
_BY: Final = "kind, check"
_PAGE_NAME: Final = "{{ $labels.status_page }}"
_TICKET: Final = ((names.SEVERITY, names.SEVERITY_TICKET),)
_PAGE: Final = ((names.SEVERITY, names.SEVERITY_PAGE),)
_OURS: Final = frozenset(
    ("kind", "check", "probe", "journey", "service", "owner", "runbook_url", "region", "alertname", "alertstate",
     "severity", "golden_path", "state", "verdict", "le")
)  # fmt: skip
_SILENT: Final = (
    f"time() - max by (region) ({check_names.REGION_REPORTED}) > {number(seconds(SILENT_AFTER))}"
)  # fmt: skip
_GLOBAL: Final = f'max by ({_BY}) ({check_names.CHECK_VERDICT}{{verdict="global"}} == 1)'


def rule_files(
    alerted: Sequence[AlertedCheck],
    *,
    golden_paths: Sequence[Path] = (),
    has_status_page: bool = False,
    external_url: str = "",
) -> tuple[RuleFile, ...]:
    """One file; none where nothing is declared. The same declarations give the same file, in whatever order."""
    checks = sorted(alerted, key=lambda each: (each.kind.value, each.name))
    page = external_url.rstrip("/")
    groups = [
        _group("declared", [*_declared(checks), *_declared_paths(golden_paths)]),
        _group("checks", [*_of_checks(checks, f"{page}/checks" if page else "")] if checks else []),
        _group("regions", [*_of_regions(f"{page}/checks" if page else "")] if checks else []),
        _group(
            "status-pages",
            [*_of_status_pages(f"{page}/status/{_PAGE_NAME}" if page else "")] if has_status_page else [],
        ),
        _group("golden-paths", [*_of_paths(f"{page}/golden-paths" if page else "")] if golden_paths else []),
    ]
    kept = tuple(group for group in groups if group.rules)
    return (RuleFile(FILE, kept),) if kept else ()


def _group(name: str, rules: Sequence[Rule]) -> RuleGroup:
    return RuleGroup(f"synthetics:{name}", MINUTE, tuple(rules))


# --- what is declared -------------------------------------------------------------------------------------------------
def _declared(checks: Sequence[AlertedCheck]) -> Iterator[RecordingRule]:
    for each in checks:
        key: Labels = (("kind", each.kind.value), ("check", each.name))
        own = {names.SERVICE: each.service, "owner": each.owner, names.RUNBOOK_URL: each.runbook_url}
        theirs = {label: value for label, value in each.labels if label not in _OURS}
        told = tuple((label, value) for label, value in (own | theirs).items() if value)
        yield RecordingRule(check_names.CHECK_INFO, "vector(1)", (*key, (each.kind.value, each.name), *told))
        yield RecordingRule(check_names.CHECK_LATE_AFTER, f"vector({number(seconds(each.late_after))})", key)


def _declared_paths(paths: Sequence[Path]) -> Iterator[RecordingRule]:
    for path in sorted(paths, key=lambda each: each.name):
        told = (("owner", path.owner), (names.RUNBOOK_URL, path.runbook_url))
        labels = ((check_names.GOLDEN_PATH, path.name), *((key, value) for key, value in told if value))
        yield RecordingRule(check_names.PATH_INFO, "vector(1)", labels)


def _whose(checks: Sequence[AlertedCheck]) -> Callable[[str], str]:
    """Adds to an expression what `check:info` says of each check, so that alerts find their people."""
    theirs = sorted({label for each in checks for label, _ in each.labels if label not in _OURS})
    kept = ", ".join(("probe", "journey", names.SERVICE, "owner", *theirs))
    info = f"topk by ({_BY}) (1, {check_names.CHECK_INFO})"
    return lambda expr: f"({_indented(expr)})\n* on ({_BY}) group_left ({kept})\n{info}"


# --- checks -----------------------------------------------------------------------------------------------------------
def _of_checks(checks: Sequence[AlertedCheck], page: str) -> Iterator[AlertingRule]:
    whose = _whose(checks)

    def told(found: Labels) -> Labels:
        return (*found, *texts.links(check_names.CHECK_INFO, ("kind", "check"), page))

    yield AlertingRule(check_names.ALERT_CHECK_DOWN, whose(_GLOBAL), _PAGE, told(texts.check_down()))
    down = f'max by ({_BY}, region) ({check_names.CHECK_REGION_STATE}{{state="down"}} == 1)'
    regional = f"{down}\nunless on ({_BY}) {_GLOBAL}"
    yield AlertingRule(
        check_names.ALERT_CHECK_REGIONAL, whose(regional), _TICKET, told(texts.check_regional()), 5 * MINUTE
    )
    flapping = f"max by ({_BY}) ({check_names.CHECK_FLAPPING} == 1)"
    yield AlertingRule(
        check_names.ALERT_CHECK_FLAPPING, whose(flapping), _TICKET, told(texts.check_flapping()), 15 * MINUTE
    )
    yield AlertingRule(
        check_names.ALERT_CHECK_STALE, whose(_not_run(checks)), _TICKET, told(texts.check_late()), 2 * MINUTE
    )
    probes = [each for each in checks if each.kind is CheckKind.PROBE]
    if probes:
        yield from _certificates(probes, whose, told)


def _not_run(checks: Sequence[AlertedCheck]) -> str:
    """Late in a region that is heard; or known to Prometheus for long enough, and never run at all."""
    age = f"time() - max by ({_BY}, region) ({check_names.CHECK_LAST_RUN})"
    late = f"{age}\n> on ({_BY}) group_left () {check_names.CHECK_LATE_AFTER}"
    clauses = [f"({_indented(late)})\nunless on (region) ({_SILENT})"]
    alike: dict[timedelta, list[AlertedCheck]] = {}
    for each in checks:
        alike.setdefault(each.late_after, []).append(each)
    for after, those in sorted(alike.items()):
        chosen = f"{{{_any_of('check', [each.name for each in those])}}}"
        known = f"max by ({_BY}) ({check_names.CHECK_LATE_AFTER}{chosen} == {number(seconds(after))})"
        before = f"{check_names.CHECK_LATE_AFTER}{chosen} offset {duration(after)}"
        clauses.append(
            f"{known}\nand on ({_BY}) {before}\nunless on ({_BY}) {check_names.CHECK_LAST_RUN}\n"
            f"and on () max({names.FLYBALL_BUILD_INFO})"
        )
    return "\nor\n".join(f"({_indented(clause)})" for clause in clauses)


def _certificates(
    probes: Sequence[AlertedCheck], whose: Callable[[str], str], told: Callable[[Labels], Labels]
) -> Iterator[AlertingRule]:
    """Days as each probe asks for them: the ticket a week before the probe itself fails for it; three days page."""
    alike: dict[Decimal, list[str]] = {}
    for each in probes:
        alike.setdefault(each.told_days, []).append(each.name)
    left = [
        f"{_ends_in(those)} < {number(days * _DAY)}" for days, those in sorted(alike.items())
    ]  # fmt: skip
    every = _ends_in([each.name for each in probes])
    urgent = f"{every} < {number(URGENT_CERTIFICATE_DAYS * _DAY)}"
    soon = "\nor\n".join(left)
    ticket = f"({_indented(soon)})\nunless on (probe) ({_indented(urgent)})"
    text = told(texts.certificate_expires())
    yield AlertingRule(check_names.ALERT_CERTIFICATE, whose(_as_check(ticket)), _TICKET, text, 10 * MINUTE)
    yield AlertingRule(check_names.ALERT_CERTIFICATE, whose(_as_check(urgent)), _PAGE, text, 10 * MINUTE)


def _ends_in(probes: Sequence[str]) -> str:
    return f"min by (probe) ({check_names.PROBE_CERTIFICATE_ENDS}{{{_any_of('probe', probes)}}}) - time()"


def _as_check(expr: str) -> str:
    """Series of a probe with the labels of a check."""
    named = f'label_replace({_indented(expr)}, "check", "$1", "probe", "(.*)")'
    return f'sum by ({_BY}) (label_replace({named}, "kind", "{CheckKind.PROBE.value}", "", ""))'


# --- regions, status pages, golden paths ------------------------------------------------------------------------------
def _of_regions(page: str) -> Iterator[AlertingRule]:
    shown = ((names.DASHBOARD_URL, page),) if page else ()
    everyone = f"count({_SILENT}) == count(max by (region) ({check_names.REGION_REPORTED}))"
    pending = f'max by (region) ({check_names.CHECK_REGION_STATE}{{state="{RegionState.PENDING.value}"}}'
    unheard = f"{pending} offset 5m) * 0\nand on (region) {pending})\nunless on (region) {check_names.REGION_REPORTED}"
    some = f"(\n  {_SILENT}\n  unless on () ({everyone})\n)\nor\n({_indented(unheard)})"
    silent = check_names.ALERT_REGION_SILENT
    yield AlertingRule(silent, some, _TICKET, (*texts.prober_silent(), *shown), 2 * MINUTE)
    every = f"{_SILENT}\nand on () ({everyone})"
    yield AlertingRule(silent, every, _PAGE, (*texts.all_probers_silent(), *shown), 2 * MINUTE)
    fault = f"max by (region) ({check_names.REGION_SELF_CHECK}) == 0\nunless on (region) ({_SILENT})"
    yield AlertingRule(
        check_names.ALERT_PROBER_FAULT, fault, _TICKET, (*texts.prober_fault(), *shown), 5 * MINUTE
    )  # fmt: skip


def _of_status_pages(page: str) -> Iterator[AlertingRule]:
    shown = ((names.DASHBOARD_URL, page),) if page else ()
    overdue = f"max by (status_page, incident) ({check_names.STATUS_UPDATE_OVERDUE})"
    limit = number(seconds(OVERDUE_PAGES_AFTER))
    text = (*texts.update_overdue(), *shown)
    yield AlertingRule(check_names.ALERT_STATUS_OVERDUE, f"{overdue} > 0 <= {limit}", _TICKET, text)
    yield AlertingRule(check_names.ALERT_STATUS_OVERDUE, f"{overdue} > {limit}", _PAGE, text)
    published = f"time() - max by (status_page) ({check_names.STATUS_PUBLISHED})"
    stale = f"{published} > {number(seconds(PAGE_STALE_AFTER))}"
    broken = f"max by (status_page) ({check_names.STATUS_INCIDENTS}) > 0"
    text = (*texts.page_stale(), *shown)
    yield AlertingRule(
        check_names.ALERT_STATUS_STALE, f"{stale}\nunless on (status_page) ({broken})", _TICKET, text, 5 * MINUTE
    )
    yield AlertingRule(
        check_names.ALERT_STATUS_STALE, f"{stale}\nand on (status_page) ({broken})", _PAGE, text, 5 * MINUTE
    )


def _of_paths(page: str) -> Iterator[AlertingRule]:
    standing = f"max by (golden_path, kind) ({check_names.PATH_DISAGREES} == 1)"
    info = f"topk by (golden_path) (1, {check_names.PATH_INFO})"
    expr = f"{standing}\n* on (golden_path) group_left (owner)\n{info}"
    text = (*texts.path_disagreement(), *texts.links(check_names.PATH_INFO, ("golden_path",), page))
    yield AlertingRule(check_names.ALERT_GOLDEN_PATH, expr, _TICKET, text)


def _any_of(label: str, values: Sequence[str]) -> str:
    """A matcher; names of ours hold nothing that means something in RE2 but `-` and `.`."""
    return f'{label}=~"{"|".join(value.replace(".", "[.]") for value in sorted(values))}"'


def _indented(text: str) -> str:
    return "\n  " + text.replace("\n", "\n  ") + "\n"

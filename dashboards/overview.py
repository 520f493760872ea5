"""The panels of the page on which all SLOs stand, those with the least budget first."""

from collections.abc import Sequence
from typing import Any, Final

from grafanalib import core

from controlplane import burn_rate, dashboard_uids
from controlplane import conventions as names
from controlplane.model.slo import SLO
from dashboards import palette, panels
from dashboards.layout import Band
from dashboards.promql_text import quoted
from dashboards.scope import LEDGER_LOOKBACK

SHOWN: Final = 200  # rows of the table; the rest is counted above it
_LEFT: Final = f"min by ({names.SLO}) (last_over_time({names.BUDGET_REMAINING}[{LEDGER_LOOKBACK}]))"
_WORST: Final = f"bottomk({SHOWN}, {_LEFT})"
_UID: Final = "dashboard"


def overview_bands(slos: Sequence[SLO], *, shared: bool) -> list[Band]:
    """Counts on top, the table below."""
    return [Band(4, _counts()), Band(20, (_table(slos, shared=shared),)), Band(8, (_burning(),))]


def _counts() -> tuple[core.Panel, ...]:
    def counted(title: str, description: str, expr: str, steps: Sequence[core.Threshold] = panels.QUIET) -> core.Stat:
        return panels.stat(title, description, f"count({expr}) or vector(0)", "none", thresholds=list(steps))

    def firing(severity: str) -> str:
        return f'count by ({names.SLO}) (ALERTS{{{panels.OUR_ALERTS},{panels.FIRING},{names.SEVERITY}="{severity}"}})'

    low = (core.Threshold("text", 0, 0.0), core.Threshold(palette.LOW, 1, 1.0))
    return (
        counted("SLOs", "SLOs whose budget is known.", _LEFT),
        counted("Budget spent", "SLOs with nothing left of their error budget.", f"{_LEFT} <= 0", panels.ALARM),
        counted("Under a quarter", "SLOs with less than 25 % of their budget left, but not spent.",
                f"{_LEFT} > 0 < {palette.LOW_FROM}", low),
        counted("Pages", "SLOs that page now.", firing(names.SEVERITY_PAGE), panels.ALARM),
        counted("Tickets", "SLOs with a ticket now.", firing(names.SEVERITY_TICKET), low),
        counted("Without data", "SLOs without a measurement for 15 minutes: their budget stands still.",
                f'ALERTS{{alertname="{names.ALERT_NO_DATA}",{panels.FIRING}}}', low),
    )  # fmt: skip


def _table(slos: Sequence[SLO], *, shared: bool) -> core.Table:
    worst = f"and on ({names.SLO}) {_WORST}"
    linked = _led_by_window(slos) if shared else _led_by_name(slos)
    columns = {
        "Budget left": linked,
        "Burn rate, 1 h": f"max by ({names.SLO}) ({names.burn_rate('1h')}) {worst}",
        "Window measured": f"min by ({names.SLO}) (last_over_time({names.WINDOW_COVERAGE}[{LEDGER_LOOKBACK}])) {worst}",
    }
    targets = [panels.instant(expr, ref=ref, table=True) for ref, expr in zip("ABC", columns.values(), strict=True)]
    renamed = {names.SLO: "SLO"} | {f"Value #{ref}": name for ref, name in zip("ABC", columns, strict=True)}
    order = {field: index for index, field in enumerate(renamed)}
    return core.Table(
        title="All SLOs, the least budget first",
        description=f"The {SHOWN} SLOs with the least of their budget left. A name leads to the SLO's dashboard.",
        targets=targets, unit="percentunit", overrides=_columns(), sortBy=[core.TableSortByField("Budget left")],
        thresholds=list(panels.QUIET),
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "includeByName": {},
                                           "indexByName": order, "renameByName": renamed}},
        ],
    )  # fmt: skip


def _columns() -> list[dict[str, Any]]:
    link = {"title": "Dashboard", "url": f"/d/${{__data.fields.{_UID}}}?var-slo=${{__data.fields.SLO:percentencode}}"}
    steps = [{"color": palette.SPENT, "value": None}, {"color": palette.LOW, "value": panels.NEARLY_NONE},
             {"color": palette.HEALTHY, "value": palette.LOW_FROM}]  # fmt: skip
    bar = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
    hidden = {"viz": True, "legend": False, "tooltip": False}
    return [
        column("SLO", links=[link]),
        column("Budget left", min=0, max=1, thresholds={"mode": "absolute", "steps": steps},
                **{"custom.cellOptions": bar}),
        column("Burn rate, 1 h", unit="suffix:×"),
        column(_UID, **{"custom.hideFrom": hidden, "custom.hidden": True}),
    ]  # fmt: skip


def column(name: str, **properties: Any) -> dict[str, Any]:
    """How one column of a table looks."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _led_by_name(slos: Sequence[SLO]) -> str:
    """The worst SLOs, each with the uid of its own dashboard; those whose uid is not plainly their name one by one."""
    linked = f"label_replace({_WORST}, {quoted(_UID)}, {quoted('slo-$1')}, {quoted(names.SLO)}, {quoted('(.*)')})"
    for slo in slos:
        uid = dashboard_uids.slo_uid(slo.name)
        if uid != f"slo-{slo.name}":
            linked = (
                f"label_replace({linked}, {quoted(_UID)}, {quoted(uid)}, "
                f"{quoted(names.SLO)}, {quoted(literally(slo.name))})"
            )
    return linked


def literally(text: str) -> str:
    r"""A regular expression (RE2) that matches just this text; `\x{…}` needs no quoting in any dialect."""
    return "".join(char if char.isalnum() or char in "-_ " else f"\\x{{{ord(char):x}}}" for char in text)


def _led_by_window(slos: Sequence[SLO]) -> str:
    """The worst SLOs, each with the uid of the dashboard that SLOs of its window share."""
    named = {burn_rate.window_name(slo.window): slo.window.length for slo in slos}
    windows = sorted(named, key=lambda name: (named[name], name))
    return " or ".join(
        f"label_replace({_WORST} and on ({names.SLO}) {names.total_events(window)}, "
        f'{quoted(_UID)}, {quoted(dashboard_uids.shared_uid(window))}, "", "")'
        for window in windows
    )


def _burning() -> core.TimeSeries:
    return panels.chart(
        "Burning fastest",
        "The ten SLOs whose budget burns fastest over the last hour; at 1 it lasts exactly its window.",
        [panels.ranged(f"topk(10, max by ({names.SLO}) ({names.burn_rate('1h')}))", "{{slo}}")],
        "suffix:×", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip

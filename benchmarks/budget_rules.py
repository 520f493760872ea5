"""How many samples the rules of one budget touch in a minute, on a month of spend in a real Prometheus.

    python -m benchmarks.budget_rules

Counted by Prometheus itself (`stats=all`, totalQueryableSamples): rules that run every minute in full, those that run
every five minutes by a fifth. Calendars and paces are shared by all budgets with the same window and pace.
"""

import tempfile
from collections import Counter
from pathlib import Path

import httpx

from benchmarks.report import Figure, show
from controlplane.model.rule import RuleFile
from finops.budgets.rules import CALENDARS_FILE, rule_files
from tests.finops.budgets.evaluating import MINUTE, evaluate, write, write_calendar
from tests.finops.budgets.reading import BERLIN_MONTH, THIRTY_DAYS, a_budget
from tests.finops.budgets.test_month_in_prometheus import CLOSELY, END, START, TOKENS, spend
from tests.slo.evaluating import Past, past, unix

AT = CLOSELY[-1][1]
SERVICES = 20  # series of spend in the scope


def touched(memory: Past, file: RuleFile) -> dict[str, float]:
    """Samples a minute, by group."""
    found: Counter[str] = Counter()
    for group in file.groups:
        for rule in group.rules:
            form = {"query": rule.expr, "time": unix(AT), "stats": "all"}
            answer = httpx.post(f"{memory.url}/api/v1/query", data=form, timeout=60).json()["data"]
            found[group.name] += answer["stats"]["samples"]["totalQueryableSamples"] / (group.interval / MINUTE)
    return found


def run() -> None:
    """Samples a minute for a month in Berlin and for 30 rolling days."""
    figures: list[Figure] = []
    for window, name in ((BERLIN_MONTH, "month"), (THIRTY_DAYS, "30 days")):
        files = rule_files([a_budget("llm", window=window, scope=TOKENS)])
        with tempfile.TemporaryDirectory() as folder, past(Path(folder)) as memory:
            for number in range(SERVICES):
                write(memory, spend(), {"resource": "token", "service": f"service-{number}"})
            write_calendar(memory, BERLIN_MONTH, START, END)
            evaluate(memory, files, (START, END), CLOSELY)
            for file in files:
                for group, samples in touched(memory, file).items():
                    shared = "shared by all budgets" if file.name == CALENDARS_FILE else ""
                    figures.append(Figure(f"{name}: {group}", samples, "a minute", detail=shared))
    show("Budget rules: samples that the rules of one budget touch", figures)

"""Whatever somebody writes: it is a budget whose rules parse, or problems say why not."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.problems import Severity
from controlplane.promql import check_promql
from finops.budgets.rules import rule_files
from tests.finops.budgets.reading import found

NUMBERS = st.sampled_from(
    ["0", "-1", "0.8", "0.9", "1", "3", "80", "5000", "1e3", "NaN", ".inf", "0x10", "9" * 40, "x"]
)
WORDS = st.sampled_from(["month", "Month", "30d", "1d", "5m", "99999999d", "week", "", "USD", "usd", "Europe/Berlin",
                         "Nowhere", "2026-02-30", "2024-01-31", "zero", "missing", "page", "ticket"])  # fmt: skip
TEXTS = st.one_of(WORDS, st.text(max_size=12))
VALUES = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.booleans(), st.none()), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)
DAYS = st.dictionaries(
    st.sampled_from(["mon", "tue", "sat", "sun"]), st.sampled_from(["0", "0.5", "3", "-1"]), max_size=3
)
TIERS = st.fixed_dictionaries(
    {
        "severity": st.sampled_from(["page", "ticket", "page", "urgent"]),
        "budgetShare": st.sampled_from(["0.02", "0.5", "1", "2"]),
        "long": st.sampled_from(["1h", "6h", "3d", "1d", "x"]),
        "short": st.sampled_from(["5m", "30m", "1d"]),
    },
    optional={"for": WORDS, "burnRate": NUMBERS, "spentWithin": st.lists(WORDS, max_size=2)},
)
ALERTS = st.dictionaries(
    st.sampled_from(["actual", "forecast", "spike", "staleAfter", "burn", "spikes"]),
    st.one_of(VALUES, st.lists(NUMBERS, max_size=3)),
    max_size=3,
)
SPECS = st.fixed_dictionaries(
    {"amount": st.sampled_from(["5000", "0.01", "12345.678", "0"]), "currency": st.sampled_from(["USD", "EUR", "usd"])},
    optional={
        "window": st.one_of(
            st.sampled_from(["month", "30d", "week", "1d", "quarter"]),
            WORDS,
            st.dictionaries(st.sampled_from(["every", "rolling", "timeZone", "start"]), WORDS, max_size=3),
        ),
        "scope": st.dictionaries(
            st.one_of(st.sampled_from(["tenant", "service", "team"]), st.sampled_from(["currency", "x-y", ""])),
            st.one_of(TEXTS, st.lists(TEXTS, max_size=3)),
            max_size=3,
        ),
        "pace": st.fixed_dictionaries(
            {},
            optional={
                "weekdays": DAYS,
                "monthEnd": st.fixed_dictionaries({"days": st.sampled_from(["1", "3", "28", "31"]), "factor": NUMBERS}),
                "timeZone": st.sampled_from(["UTC", "Europe/Berlin", "Nowhere"]),
            },
        ),
        "alerts": st.one_of(ALERTS, st.fixed_dictionaries({"tiers": st.lists(TIERS, max_size=3)})),
        "absent": st.sampled_from(["zero", "missing", "none"]),
    },
)


@settings(max_examples=150)
@given(SPECS)
def test_any_document_is_a_budget_or_problems_and_rules_parse(spec: dict[str, object]) -> None:
    document = {"apiVersion": "flyball.dev/v1", "kind": "Budget", "metadata": {"name": "any"}, "spec": spec}
    budgets, problems = found(json.dumps(document))  # JSON is YAML
    assert bool(budgets.values) != any(problem.severity is Severity.ERROR for problem in problems)
    for file in rule_files(budgets.values):
        for group in file.groups:
            for rule in group.rules if group.name != "budgets:calendars" else ():
                assert check_promql(rule.expr) is None, rule.expr

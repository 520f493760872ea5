"""Which runbook an alert has, and which alerts have none."""

from datetime import timedelta

from alerts.model import Link
from alerts.routing.matchers import parse
from alerts.runbooks.linking import file_problems, link_problems, runbooks_of, unlinked
from alerts.runbooks.model import Runbook
from controlplane.model.rule import AlertingRule, Labels, RecordingRule, RuleFile, RuleGroup
from controlplane.model.source import SourcePosition

CONSOLE = "https://flyball.example.com"
AT = SourcePosition("routes.yaml", 5, 3)
OUTAGE = Runbook(
    "outage",
    "Gateway outage",
    url="https://runbooks.example.com/outage",
    matchers=((parse('alertname="Down"'), parse('service="api"')), (parse('alertname="Slow"'),)),
)
COSTS = Runbook("costs", file="runbooks/costs.md", matchers=((parse('alertname="Down"'),),), source=AT)


def rules(*alerts: AlertingRule) -> RuleFile:
    return RuleFile("slo/api.yaml", (RuleGroup("g", timedelta(minutes=1), (RecordingRule("a:b:c", "1"), *alerts)),))


def alert(name: str, url: str = "", **labels: str) -> AlertingRule:
    annotations: Labels = (("runbook_url", url),) if url else ()
    return AlertingRule(name, "up == 0", tuple(labels.items()), annotations)


def faults(*alerts: AlertingRule) -> list[str]:
    return [f"{each.alert} {each.message}" for each in unlinked([rules(*alerts)], [OUTAGE, COSTS], console_url=CONSOLE)]


def test_an_alert_has_what_it_links_itself_and_what_names_it() -> None:
    labels = {"alertname": "Down", "service": "api"}
    own = {"runbook_url": "https://wiki.example.com/down"}
    assert runbooks_of(labels, own, [COSTS, OUTAGE], CONSOLE) == (
        Link("Runbook", "https://wiki.example.com/down"),
        Link("costs", "https://flyball.example.com/runbooks/costs"),
        Link("Gateway outage", "https://runbooks.example.com/outage"),
    )
    assert runbooks_of({"alertname": "Other"}, {"runbook_url": OUTAGE.url}, [OUTAGE]) == (
        Link("Gateway outage", OUTAGE.url),
    )
    assert runbooks_of(labels, {"runbook_url": "javascript:alert(1)"}, []) == ()


def test_an_alert_that_links_no_runbook_is_told_once_with_a_way_out() -> None:
    found = unlinked([rules(alert("Full", slo="a"), alert("Full", slo="b"))], [OUTAGE])
    assert [(each.alert, each.message, each.count) for each in found] == [("Full", "links no runbook", 2)]
    assert found[0].hint.startswith("""declare a Runbook with for: [['alertname="Full"']]""")


def test_a_link_or_a_runbook_that_may_name_it_suffices() -> None:
    assert faults(
        alert("Full", "https://wiki.example.com/full"),
        alert("Full", "{{ $labels.runbook_url }}"),
        alert("Slow", service="db"),
        alert("Down"),  # its service comes from the series
        alert("Reduced", severity="info"),
        alert("Watchdog", severity="none"),
    ) == []  # fmt: skip


def test_a_runbook_of_the_console_must_exist() -> None:
    assert faults(
        alert("A", f"{CONSOLE}/runbooks/outage#step-2"),
        alert("B", f"{CONSOLE}/runbooks/{{{{ $labels.service }}}}"),
        alert("C", f"{CONSOLE}/runbooks/outtage"),
        alert("D", "runbooks/outage.md"),
    ) == [
        "C links the runbook `outtage`, which there is not",
        "D links `runbooks/outage.md`, which is not a web address",
    ]  # fmt: skip


def test_what_is_wrong_is_a_problem_at_the_default_route() -> None:
    found = link_problems([rules(alert("Full"), alert("Full"), alert("Odd"))], [], at=AT)
    assert [(each.position, each.message, each.rule) for each in found] == [
        (AT, "the alert Full links no runbook (2 rules, such as in slo/api.yaml)", "alert-runbook"),
        (AT, "the alert Odd links no runbook (slo/api.yaml)", "alert-runbook"),
    ]


def test_a_file_that_is_not_there_is_told_where_it_is_named() -> None:
    assert [each.message for each in file_problems([OUTAGE, COSTS], lambda _: False)] == [
        "the runbook costs has no file runbooks/costs.md"
    ]
    assert list(file_problems([OUTAGE, COSTS], lambda path: path == "runbooks/costs.md")) == []

"""SLOs whose alerts say the same share rules, as usual ones do; the others have files of their own."""

from dataclasses import replace

from controlplane.model.alerting import Alerting, AlertText
from controlplane.model.rule import AlertingRule, RuleFile
from controlplane.model.slo import SLO
from slo.compiler import CompileOptions, compile_rules
from tests.slo.slos import an_slo, requests

WORDS = AlertText((("channel", "slack"),), (("summary", "It burns"),), "critical", "Burning")


def speaking(name: str, words: AlertText = WORDS) -> SLO:
    return replace(an_slo(name, requests("shop"), labels=(("channel", "none"),)), alerting=Alerting(page=words))


def alerts(file: RuleFile, name: str) -> list[AlertingRule]:
    return [
        rule for group in file.groups for rule in group.rules if isinstance(rule, AlertingRule) and rule.alert == name
    ]


def test_twenty_that_say_the_same_share_their_rules() -> None:
    same = [speaking(f"slo-{number:02d}") for number in range(20)]
    other = speaking("other", replace(WORDS, name="Elsewhere"))
    files = compile_rules([*same, other, an_slo("usual", requests("shop"))], CompileOptions(shared_above=5))
    together, alone = (next(file for file in files if key in repr(file)) for key in ("'Burning'", "'Elsewhere'"))
    assert together.name.startswith("slo-shard-30d-000-")
    assert alone.name == "slo-other.yaml"
    assert len(files) == 3
    (shared,), (plain,) = alerts(together, "Burning"), alerts(alone, "Elsewhere")
    said = dict(plain.labels)
    assert dict(shared.labels) == {key: said[key] for key in ("severity", "channel")}
    assert dict(shared.annotations)["summary"] == dict(plain.annotations)["summary"] == "It burns"


def test_nineteen_do_not() -> None:
    same = [speaking(f"slo-{number:02d}") for number in range(19)]
    files = compile_rules(same, CompileOptions(shared_above=5))
    assert [file.name for file in files] == [f"slo-{slo.name}.yaml" for slo in same]


def test_the_order_of_slos_changes_nothing() -> None:
    same = [speaking(f"slo-{number:02d}") for number in range(25)]
    options = CompileOptions(shared_above=5)
    assert compile_rules(same, options) == compile_rules(reversed(same), options)

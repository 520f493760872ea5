"""Rule files as objects of Kubernetes and as Mimir reads them."""

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.rule import AlertingRule, RecordingRule, RuleFile, RuleGroup
from controlplane.model.rule_form import RuleForm, Target
from controlplane.rule_manifests import MOST_BYTES, TooLarge, in_form, object_name, problems_with
from controlplane.rulefile import to_yaml
from slo.compiler import compile_rules
from tests.slo.slos import an_slo, latency, requests

TARGET = Target("monitoring", {"release": "prometheus", "app.kubernetes.io/part-of": "slo"}, "flyball")
FILES = {
    file.name: to_yaml(file) for file in compile_rules([an_slo("a", requests("a")), an_slo("b-2", latency("shop"))])
}
# The part of the published CustomResourceDefinitions that concerns us (prometheus-operator
# monitoring.coreos.com_prometheusrules.yaml, VictoriaMetrics operator.victoriametrics.com_vmrules.yaml): what a group
# and a rule must have, what else they may have, and how durations are written.
DURATION = r"(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)"
GROUP = {"name": str, "interval": DURATION, "rules": list}
RULE = {
    "record": str, "alert": str, "expr": str, "for": DURATION, "keep_firing_for": DURATION, "labels": dict,
    "annotations": dict,
}  # fmt: skip
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
API_VERSIONS = {
    RuleForm.PROMETHEUS_RULE: ("monitoring.coreos.com/v1", "PrometheusRule"),
    RuleForm.VM_RULE: ("operator.victoriametrics.com/v1beta1", "VMRule"),
    RuleForm.CONFIG_MAP: ("v1", "ConfigMap"),
}


def loaded(text: str) -> Any:
    """What YAML says; the loader in C, since files of a megabyte are read."""
    return yaml.load(text, yaml.CSafeLoader)


def fits(value: dict[str, Any], shape: dict[str, Any]) -> bool:
    return all(
        name in shape
        and (re.fullmatch(shape[name], found) if isinstance(shape[name], str) else isinstance(found, shape[name]))
        for name, found in value.items()
    )


@pytest.mark.parametrize("form", [RuleForm.PROMETHEUS_RULE, RuleForm.VM_RULE])
def test_rule_objects_have_the_shape_of_their_definition_and_the_rules_of_the_file(form: RuleForm) -> None:
    files = in_form(form, FILES, TARGET)
    assert [file.name for file in files] == ["slo-a.yaml", "slo-b-2.yaml"]
    for file, text in zip(files, FILES.values(), strict=True):
        found = loaded(file.text)
        assert (found["apiVersion"], found["kind"]) == API_VERSIONS[form]
        assert found["spec"] == loaded(text)
        for group in found["spec"]["groups"]:
            assert fits(group, GROUP)
            assert {"name", "rules"} <= group.keys()
            for rule in group["rules"]:
                assert fits(rule, RULE)
                assert "expr" in rule
                assert ("record" in rule) != ("alert" in rule)
                texts = {**rule.get("labels", {}), **rule.get("annotations", {})}
                assert all(isinstance(text, str) for text in texts.values())


@pytest.mark.parametrize("form", API_VERSIONS)
def test_objects_carry_the_namespace_and_the_labels_that_an_operator_selects(form: RuleForm) -> None:
    for file in in_form(form, FILES, TARGET):
        metadata = loaded(file.text)["metadata"]
        assert metadata == {
            "name": file.name.removesuffix(".yaml"),
            "namespace": "monitoring",
            "labels": {"app.kubernetes.io/managed-by": "flyball", **TARGET.labels},
        }
        assert SUBDOMAIN.fullmatch(metadata["name"])
    assert "namespace" not in loaded(in_form(form, FILES, Target())[0].text)["metadata"]


def test_a_config_map_holds_the_files_as_they_are() -> None:
    (file,) = in_form(RuleForm.CONFIG_MAP, FILES, TARGET)
    assert loaded(file.text)["data"] == FILES


def test_files_that_are_too_much_for_one_config_map_are_split_between_files() -> None:
    files = {f"slo-{number}.yaml": "groups: []\n" + f"# {'x' * 996}\n" * 600 for number in range(7)}
    maps = in_form(RuleForm.CONFIG_MAP, files, TARGET)
    assert [file.name for file in maps] == [f"flyball-rules-{number:03d}.yaml" for number in range(7)]
    assert max(len(file.text.encode()) for file in maps) <= MOST_BYTES
    joined: dict[str, str] = {}
    for file in maps:
        joined |= loaded(file.text)["data"]
    assert joined == files
    small = {f"slo-{number}.yaml": "groups: []\n" for number in range(500)}
    assert len(in_form(RuleForm.CONFIG_MAP, small, TARGET)) == 1


@pytest.mark.parametrize("form", API_VERSIONS)
def test_a_file_that_fits_into_no_object_is_refused_by_name(form: RuleForm) -> None:
    with pytest.raises(TooLarge, match=r"\.yaml would have 1,\d{3},\d{3} bytes"):
        in_form(form, {"slo-a.yaml": "groups: []\n" + f"# {'x' * 996}\n" * 1050}, TARGET)


def test_mimir_reads_the_rules_with_their_namespace() -> None:
    files = in_form(RuleForm.MIMIR, FILES, Target(ruler_namespace="team: a"))
    assert [loaded(file.text) for file in files] == [
        {"namespace": "team: a", **loaded(text)} for text in FILES.values()
    ]


def test_object_names_are_what_kubernetes_takes_and_stay_apart() -> None:
    names = ["slo-a", "slo-A", "slo-a_b", "slo-a-b", "slo-" + "x" * 300, "slo-ä", "slo-shard-30d-001", "a.b"]
    made = [object_name(f"{name}.yaml") for name in names]
    assert len(set(made)) == len(names)
    assert all(SUBDOMAIN.fullmatch(name) and len(name) <= 253 for name in made)
    assert made[0] == "slo-a"


def test_names_that_would_be_refused_are_told() -> None:
    def told(**given: Any) -> list[str]:
        return list(problems_with(Target(**given)))

    assert told(namespace="Monitoring", labels={"a b": "c", "x/y/z": ""}, ruler_namespace="a/b") != []
    assert len(told(namespace="Monitoring", labels={"a b": "c", "d": "e f"}, ruler_namespace="")) == 4
    assert told(namespace="monitoring", labels={"example.com/a": "b_c.d", "empty": ""}) == []


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)


@given(texts, texts, st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), texts, max_size=3))
def test_whatever_stands_in_rules_stays_the_same_inside_of_objects(
    expr: str, record: str, labels: dict[str, str]
) -> None:
    rules = (RecordingRule(record, expr, tuple(labels.items())), AlertingRule("a", expr, (), tuple(labels.items())))
    file = RuleFile("slo-a.yaml", (RuleGroup("g", timedelta(minutes=1), rules),))
    text = to_yaml(file)
    for form in (RuleForm.PROMETHEUS_RULE, RuleForm.VM_RULE):
        assert loaded(in_form(form, {file.name: text}, TARGET)[0].text)["spec"] == loaded(text)
    (made,) = in_form(RuleForm.CONFIG_MAP, {file.name: text}, TARGET)
    assert loaded(made.text)["data"] == {file.name: text}

"""No OpenSLO file, however odd, is more than a list of problems: right files with anything put anywhere in them."""

import json
from collections.abc import Iterator

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.specfile import SourceFile
from flyball.examining import examine
from slo.compiler import compile_rules
from tests.slo.openslo_refusals import CASES, document, sli, slo, slo_v2
from tests.slo.test_openslo import DATA_SOURCE, GAUGE, V1ALPHA
from tests.slo.test_openslo_alerts import INLINE, condition, policy, target

_PATH = list[str | int]
_TWO = "  objectives: [{target: 0.99, op: lt, value: 5}, {target: 0.9, op: lt, value: 5}]"
_BY_REFERENCE = "  thresholdMetric: {metricSource: {metricSourceRef: a}}\n"
_V2 = "openslo.com/v2alpha"
_SEEDS = [
    list(yaml.safe_load_all(text))
    for text in (
        slo(more=f"  alertPolicies: {INLINE}") + "---\n" + target(),
        slo(more="  alertPolicies: [urgent]") + "---\n" + policy() + "---\n" + condition() + "---\n" + target(),
        slo(indicator=GAUGE, objectives=_TWO),
        slo_v2(),
        slo_v2(sli="  sliRef: a") + "---\n" + document("SLI", "{thresholdMetric: {dataSourceRef: b}}", _V2),
        V1ALPHA,
        DATA_SOURCE % ("a", "Prometheus", "b") + "---\n" + sli(_BY_REFERENCE),
        *CASES.values(),
    )
]  # fmt: skip
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.sampled_from(["", "0", "-1", ".inf", ".nan", "1e400", "1e-400", "0.5", "1M", "9999999999w", "ü", "{{", "$1"]),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just({"a": {"b": []}}),
    st.dictionaries(st.sampled_from(["kind", "spec", "metadata", "name", "query", "type", "sli"]), st.text(max_size=4)),
)  # fmt: skip


def places(value: object, path: _PATH) -> Iterator[_PATH]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, [*path, key])
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, [*path, index])


def put(value: object, path: _PATH, odd: object) -> object:
    if not path:
        return odd
    if isinstance(value, dict):
        return {key: put(inner, path[1:], odd) if key == path[0] else inner for key, inner in value.items()}
    assert isinstance(value, list)
    return [put(inner, path[1:], odd) if index == path[0] else inner for index, inner in enumerate(value)]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_right_files_with_anything_put_anywhere_give_problems_or_rules(data: st.DataObject) -> None:
    documents: object = data.draw(st.sampled_from(_SEEDS))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(documents, [])) or [[]]))
        documents = put(documents, path, data.draw(_ODD))
    text = json.dumps(documents, indent=1, default=str)
    examined = examine([SourceFile("a.yaml", text.encode("utf-8", "surrogatepass"))])
    for problem in examined.problems:
        assert problem.line <= text.count("\n") + 1
    if not any(problem.severity.value == "error" for problem in examined.problems):
        compile_rules(examined.slos)

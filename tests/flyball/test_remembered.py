"""After an edit, what is remembered gives what reading and compiling everything gives."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.generation import TextFile
from controlplane.model.rule import RuleFile, RuleGroup
from controlplane.model.slo import SLO
from controlplane.problems import Problem, has_errors
from controlplane.rulefile import to_yaml
from controlplane.specfile import SourceFile
from flyball.examining import examine
from flyball.grafana import GrafanaFiles, grafana_files
from flyball.remembered_files import RememberedFiles
from flyball.remembered_rules import RememberedRules, RememberedTexts
from flyball.slo_workspace import SLOWorkspace
from slo.compiler import CompileOptions, compile_rules
from tests.slo.dialects.reading import a_pyrra_file, a_sloth_file
from tests.slo.dialects.test_sloth import WINDOWS
from tests.slo.reading import an_slo_file

SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {{name: {}}}\nspec: {{description: ''}}\n"
INDICATOR = """\
apiVersion: openslo/v1
kind: SLI
metadata: {{name: errors}}
spec:
  ratioMetric:
    counter: true
    bad: {{metricSource: {{type: Prometheus, spec: {{query: 'errors{{job="{}"}}'}}}}}}
    total: {{metricSource: {{type: Prometheus, spec: {{query: requests}}}}}}
"""
REFERRING = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {}}}
spec:
  service: shop
  indicatorRef: errors
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.99}}]
"""
SETTINGS = "apiVersion: flyball.dev/v1\nkind: Workspace\nmetadata: {name: here}\nspec: {}\n"
POLICY = """\
apiVersion: flyball.dev/v1
kind: SLOPolicy
metadata: {{name: {}}}
spec: {{select: {{{}}}, absent: {}}}
"""
TEXTS = (
    an_slo_file(name="first"),
    an_slo_file(name="second"),
    "# lower\n\n" + an_slo_file(name="second"),
    an_slo_file(name="second", objectives="[{target: 0.99}, {target: 0.9}]"),
    an_slo_file(name="second-99", objectives="[{target: 0.95}]"),
    an_slo_file(name="third", objectives="[{target: 1}]"),
    "---\n".join([SERVICE.format("shop"), an_slo_file(name="fourth")]),
    SERVICE.format("shop"),
    SERVICE.format("ship"),
    INDICATOR.format("a"),
    INDICATOR.format("b"),
    "---\n".join([INDICATOR.format("c"), REFERRING.format("fifth")]),
    REFERRING.format("sixth"),
    REFERRING.format("seventh").replace("99", "9"),
    SETTINGS,
    POLICY.format("one", "all: true", "page"),
    POLICY.format("two", "slos: [second, fir*]", "ignore"),
    POLICY.format("two", "slos: ['*']", "page"),
    POLICY.format("three", "slos: ['*']", "ignore"),  # contradicts the one before
    a_sloth_file(),
    a_sloth_file(objective="99"),
    a_pyrra_file(),
    a_pyrra_file(name="checkout-availability"),
    WINDOWS % "7d",
    "a: [",
    "",
)
Contents = dict[str, str]


def files(contents: Contents) -> list[SourceFile]:
    return [SourceFile(path, text.encode()) for path, text in sorted(contents.items())]


def understood(remembered: RememberedFiles, contents: Contents) -> tuple[list[Problem], tuple[SLO, ...]]:
    problems, slos = remembered.understand(files(contents))
    return problems, slos


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from([None, *TEXTS])), max_size=12))
def test_any_edits_end_where_reading_everything_ends(edits: list[tuple[str, str | None]]) -> None:
    remembered, contents = RememberedFiles(), Contents()
    for path, text in edits:
        if text is None:
            contents.pop(path, None)
        else:
            contents[path] = text
        problems, slos = understood(remembered, contents)
        everything = examine(files(contents))
        assert problems == list(everything.problems)
        assert repr(slos) == repr(everything.slos)  # places included, which are no part of what is equal


GOOD = {"a": TEXTS[0], "b": TEXTS[1], "c": TEXTS[6], "d": INDICATOR.format("a"), "e": TEXTS[12]}


@pytest.mark.parametrize(
    "edit",
    [{"b": TEXTS[2]}, {"b": TEXTS[3]}, {"b": ""}, {"c": TEXTS[6].replace("0.999", "0.9")}, {"f": TEXTS[13]}],
    ids=["moved", "more", "removed", "beside a service", "referring"],
)
def test_files_that_an_edit_does_not_concern_are_not_read_again(edit: Contents) -> None:
    remembered = RememberedFiles()
    _, before = understood(remembered, GOOD)
    problems, after = understood(remembered, GOOD | edit)
    assert not has_errors(problems)
    assert after[0].name == "first"
    assert after[0] is before[0]


def test_a_mended_file_is_read_alone_again() -> None:
    remembered = RememberedFiles()
    _, before = understood(remembered, GOOD)
    problems, _ = understood(remembered, GOOD | {"b": "a: ["})
    assert problems
    problems, after = understood(remembered, GOOD | {"b": TEXTS[2]})
    assert not has_errors(problems)
    assert after[0] is before[0]


@pytest.mark.parametrize("shared_above", [0, 1000])
def test_rules_after_an_edit_are_those_of_a_new_compilation(shared_above: int) -> None:
    options = CompileOptions(shared_above=shared_above)
    rules, texts = RememberedRules(), RememberedTexts(to_yaml)
    for contents in ({}, GOOD, GOOD | {"b": TEXTS[2]}, GOOD | {"b": TEXTS[3]}, {"a": TEXTS[0]}):
        slos = examine(files(contents)).slos
        compiled = rules.compile(slos, options)
        assert compiled == compile_rules(slos, options)
        assert [texts(file) for file in compiled] == [to_yaml(file) for file in compiled]


def test_only_rules_of_changed_slos_are_compiled_and_written_again() -> None:
    rules, written = RememberedRules(), list[str]()

    def write(file: RuleFile) -> str:
        written.append(file.name)
        return to_yaml(file)

    texts = RememberedTexts(write)
    for contents in (GOOD, GOOD | {"b": TEXTS[2]}, GOOD | {"b": TEXTS[1].replace("0.999", "0.99")}):
        written.clear()
        compiled = rules.compile(examine(files(contents)).slos, CompileOptions())
        for file in compiled:
            texts(file)
    assert written == ["slo-second.yaml"]


def test_rules_of_the_same_name_are_written_when_they_differ() -> None:
    texts = RememberedTexts(to_yaml)
    several = [RuleFile("slo.yaml", (RuleGroup("slo", timedelta(minutes=minutes), ()),)) for minutes in (1, 1, 5, 1)]
    assert [texts(file) for file in several] == [to_yaml(file) for file in several]


@pytest.mark.parametrize("shared_above", [0, 1000])
def test_dashboards_after_an_edit_are_those_drawn_anew(shared_above: int) -> None:
    draw = GrafanaFiles(external_url="https://flyball.example", shared_above=shared_above)
    drawn = list[dict[str, TextFile]]()
    for contents in (GOOD, GOOD | {"b": TEXTS[1].replace("0.999", "0.99")}, {"a": TEXTS[0]}):
        slos = examine(files(contents)).slos
        result = draw(slos)
        assert result == grafana_files(slos, external_url="https://flyball.example", shared_above=shared_above)
        drawn.append({file.name: file for file in result})
    for before, after in pairwise(drawn if shared_above else ()):
        assert after["slo-first.json"] is before["slo-first.json"]


def test_a_workspace_compiles_after_an_edit_what_a_new_one_compiles(tmp_path: Path) -> None:
    def new() -> SLOWorkspace:
        return SLOWorkspace(tmp_path, CompileOptions())

    edits: list[Callable[[Path], object]] = [
        lambda path: path.write_text(TEXTS[1]),
        lambda path: path.write_text(TEXTS[5]),
        lambda path: path.write_text(TEXTS[3]),
        lambda path: path.unlink(),
    ]
    (tmp_path / "a.yaml").write_text(TEXTS[0])
    workspace = new()
    for edit in edits:
        edit(tmp_path / "b.yaml")
        assert workspace.compile() == new().compile()

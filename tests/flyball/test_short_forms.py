"""Short forms in a workspace: the list of them, their page, and that every way of reading files knows them."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.specfile import SourceFile
from flyball.cli import app
from flyball.cli import commands as _commands
from flyball.examining import examine
from flyball.in_parallel import understand
from flyball.remembered_files import RememberedFiles
from slo.templates import built_in
from slo.templates.documentation import example, page
from tests.docs.pages import written
from tests.slo.templates.writing import template, use

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
OWN = template("queue-errors", "- {name: queue, example: mail}", 'x_total{queue="{{ queue }}",result="bad"}')
BROKEN = template("broken", "- {name: queue}", 'x_total{queue="{{ quue }}"}')
assert _commands


def files(**texts: str) -> list[SourceFile]:
    return [SourceFile(f"{name}.yaml", text.encode()) for name, text in texts.items()]


def run(*arguments: str) -> "tuple[int, str, str]":
    done = CliRunner().invoke(app, ["slo", "templates", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_golden_page_of_the_short_forms() -> None:
    written(DOCS / "reference/short-forms.md", page(built_in().values()))


@pytest.mark.parametrize("name", built_in())
def test_the_example_of_each_is_ten_lines_without_a_mistake(name: str) -> None:
    text = example(built_in()[name])
    assert len(text.splitlines()) == 10
    assert examine(files(slo=text)).problems == ()


def test_the_page_says_what_works() -> None:
    snippets = re.findall(r"```yaml\n(.*?)```", (DOCS / "reference/short-forms.md").read_text(), re.DOTALL)
    assert len(snippets) == 2 + len(built_in())
    for snippet in snippets:
        assert examine(files(slo=snippet)).problems == ()


def test_templates_are_listed_with_what_they_need(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN)
    status, listed, _ = run("--workspace", str(tmp_path))
    assert status == 0
    assert "http-latency                HTTP requests answered in time\n" in listed
    assert re.search(r"needs selector, threshold\n", listed)
    assert re.search(r"^queue-errors .*\[.*own\.yaml:3:18\]\n +needs queue$", listed, re.MULTILINE)
    status, told, _ = run("queue-errors", "--workspace", str(tmp_path))
    assert status == 0
    assert "type: queue-errors, spec: {queue: mail}" in told
    assert 'bad: x_total{queue="mail",result="bad"}' in told


def test_the_list_is_also_json(tmp_path: Path) -> None:
    _, listed, _ = run("http-latency", "--json", "--workspace", str(tmp_path))
    (only,) = json.loads(listed)
    assert (only["name"], only["origin"]) == ("http-latency", "built in")
    assert [parameter["name"] for parameter in only["parameters"]] == ["selector", "threshold", "metric"]
    assert only["queries"]["good"] == 'http_request_duration_seconds_bucket{job="checkout", le="0.3"}'


def test_a_name_that_is_none_and_a_broken_template_are_told(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(BROKEN)
    status, _, words = run("http-latncy", "--workspace", str(tmp_path))
    assert status == 2
    assert "did you mean `http-latency`?" in words
    status, listed, words = run("--workspace", str(tmp_path))
    assert (status, "broken" in listed) == (0, False)
    assert "no parameter is named `quue`" in words


def test_an_edit_of_a_template_reaches_the_slos_of_other_files() -> None:
    remembered = RememberedFiles()
    slos = {f"slo{number}": use("queue-errors", slo=f"slo-{number}", queue="a") for number in range(3)}
    assert _bad(remembered, own=OWN, **slos) == {'x_total{queue="a",result="bad"}'}
    assert _bad(remembered, own=OWN.replace('"bad"', '"worse"'), **slos) == {'x_total{queue="a",result="worse"}'}
    slos["slo1"] = use("queue-errors", slo="slo-1", queue="b")
    assert len(_bad(remembered, own=OWN, **slos)) == 2
    problems, _ = remembered.understand(files(**slos))
    assert {problem.message for problem in problems} == {"no short form is named `queue-errors`"}


def _bad(remembered: RememberedFiles, **texts: str) -> set[str]:
    problems, slos = remembered.understand(files(**texts))
    assert problems == []
    return {slo.indicator.bad.text for slo in slos}  # type: ignore[union-attr]


def test_templates_are_known_in_every_part_of_a_large_workspace() -> None:
    slos = {f"slo{number}": use("queue-errors", slo=f"slo-{number}", queue="a") for number in range(40)}
    parts: list[int] = []

    def run_parts(function: object, items: object) -> list[object]:
        listed = list(items)  # type: ignore[call-overload]
        parts.append(len(listed))
        return [function(item) for item in listed]  # type: ignore[operator]

    problems, found = understand(files(own=OWN, **slos), run_parts, 2)  # type: ignore[arg-type]
    assert problems == []
    assert len(found) == 40
    assert parts[0] > 1

"""Generations: a hash for content, a marker that an engine shows, and the comparison with what it runs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.generation import TextFile
from controlplane.model.rule import RuleFile
from controlplane.ports import LoadedGroup
from slo.generation import MARKER_FILE, MARKER_GROUP, difference, generation_of, is_whole, live_groups
from tests.slo.applying import rules, to_yaml

FILES = rules("vector(1)", "checkout", "search")
NAMES = st.text("abc", min_size=1, max_size=3).map(lambda name: f"{name}.yaml")
CONTENTS = st.dictionaries(NAMES, st.text(max_size=5), max_size=4)


def _generation(content: dict[str, str]) -> tuple[str, tuple[TextFile, ...]]:
    generation = generation_of([RuleFile(name, ()) for name in content], lambda file: content[file.name])
    return generation.id, generation.files


def _loaded(folder: str, identity: str, *, files: tuple[RuleFile, ...] = FILES) -> list[LoadedGroup]:
    minute = timedelta(minutes=1)
    marker = LoadedGroup(f"{folder}/{MARKER_FILE}", MARKER_GROUP, minute, (("m", f'label_replace(…"{identity}"…)'),))
    ours = [
        LoadedGroup(f"{folder}/{file.name}", file.groups[0].name, minute, ((f"test:{file.name[:-5]}", "1"),))
        for file in files
    ]
    return [marker, *ours]


@given(CONTENTS, CONTENTS)
def test_the_same_id_means_the_same_content(one: dict[str, str], other: dict[str, str]) -> None:
    assert (_generation(one)[0] == _generation(other)[0]) == (one == other)
    assert _generation(one) == _generation(dict(reversed(one.items())))


@given(CONTENTS, st.data())
def test_a_generation_is_whole_until_a_file_is_changed_added_or_removed(
    content: dict[str, str], data: st.DataObject
) -> None:
    identity, files = _generation(content)
    assert is_whole(identity, files)
    victim = data.draw(st.sampled_from(files))
    rest = [file for file in files if file != victim]
    assert not is_whole(identity, rest)
    assert not is_whole(identity, [*rest, replace(victim, text=victim.text + "#")])
    assert not is_whole(identity, [*files, TextFile("new.yaml", "")])


@pytest.mark.parametrize("name", ["a/b.yaml", ".hidden.yaml", "rules.yml", "rules", MARKER_FILE])
def test_a_file_that_prometheus_would_not_read_is_a_mistake_of_ours(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        generation_of([RuleFile(name, ())], to_yaml)


def test_two_files_of_one_name_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="same name"):
        generation_of([*FILES, *FILES], to_yaml)


def test_live_groups_are_those_beside_the_marker_wherever_the_folder_is_mounted() -> None:
    others = [LoadedGroup("/etc/own.yaml", "own", timedelta(minutes=1), (("a", "b"),))]
    assert live_groups("id", [*_loaded("/mnt/current", "id"), *others]) == tuple(_loaded("/mnt/current", "id"))
    assert live_groups("id", [*_loaded("/mnt/current", "another"), *others]) == ()


def test_what_an_engine_runs_is_compared_by_group_interval_and_rules() -> None:
    live = _loaded("/rules/current", "id")
    assert difference(FILES, live) == ""
    assert difference(FILES, live[:-1]) == "it did not load group slo-search of search.yaml"
    extra = replace(live[1], name="own")
    assert difference(FILES, [*live, extra]) == "it also loaded group own of checkout.yaml"
    slower = replace(live[1], interval=timedelta(minutes=5))
    assert difference(FILES, [live[0], slower, live[2]]).startswith(
        "it loaded group slo-checkout of checkout.yaml with another"
    )
    emptied = replace(live[1], rules=())
    assert difference(FILES, [live[0], emptied, live[2]]).startswith(
        "it loaded group slo-checkout of checkout.yaml with another"
    )
    assert difference(FILES, live[:1]).endswith("and 1 more")

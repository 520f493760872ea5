"""SLOs as lines of a manifest and back."""

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.model.slo import SLO
from controlplane.model.source import SourcePosition
from slo.manifest import Manifest, RememberedLines, line_of, manifest_of, read_manifest, slo_of
from tests.slo.slos import an_slo, requests


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that the model is made of."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return st.one_of(*(values(member) for member in get_args(kind)))
    if origin is tuple:
        members = get_args(kind)
        if members[1:] == (Ellipsis,):
            return st.lists(values(members[0]), max_size=2).map(tuple)
        return st.tuples(*map(values, members))
    if origin is frozenset:
        return st.just(frozenset())
    plain = {
        str: st.text(max_size=20),
        int: st.integers(),
        bool: st.booleans(),
        type(None): st.none(),
        Decimal: st.decimals(allow_nan=False, allow_infinity=False),
        timedelta: st.timedeltas(),
        datetime: st.datetimes(timezones=st.just(UTC)),
        SourcePosition: st.just(SourcePosition("", 1, 1)),
    }
    if kind in plain:
        return plain[kind]
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    assert dataclasses.is_dataclass(kind)
    hints = get_type_hints(kind)
    return st.builds(
        kind, **{field.name: st.deferred(lambda t=hints[field.name]: values(t)) for field in dataclasses.fields(kind)}
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(values(SLO))
def test_every_slo_that_the_model_knows_comes_back_as_it_was(slo: SLO) -> None:
    line = line_of(slo)
    assert "\n" not in line
    recorded = slo.legacy_names is not None and slo.legacy_names.recorded
    assert slo_of(line) == (slo if recorded else dataclasses.replace(slo, legacy_names=None))
    assert line_of(slo_of(line)) == line


def test_places_in_files_and_defaults_do_not_make_lines_differ() -> None:
    slo = an_slo("a", requests("a"))
    moved = dataclasses.replace(slo, source=SourcePosition("elsewhere.yaml", 7, 3))
    assert line_of(moved) == line_of(slo)
    assert "groups" not in line_of(slo)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "null",
        '{"name": 1}',
        '{"name":"a"}',
        "nonsense",
        line_of(an_slo("a", requests("a"))).replace("Ratio", "os.system"),
    ],
)
def test_what_is_no_slo_is_refused(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- of many kinds
        slo_of(line)


def test_a_manifest_comes_back_and_anything_else_is_none() -> None:
    made = manifest_of([line_of(an_slo(name, requests(name))) for name in ("b", "a")], {"sharedAbove": 1000})
    assert [slo_of(line).name for line in made.lines] == ["a", "b"]
    assert read_manifest(made.text()) == Manifest({"sharedAbove": 1000}, made.lines)
    cut = made.text()[:-1]
    for text in ("", "{}\n", "[]", "nonsense", made.text().replace('"flyball": 1', '"flyball": 2'), cut):
        assert read_manifest(text) is None


def test_remembered_lines_are_those_of_the_slos_that_are_asked_for() -> None:
    remembered = RememberedLines()
    slos = [an_slo(name, requests(name)) for name in "abc"]
    assert list(remembered(slos)) == [line_of(slo) for slo in slos]
    slos[1] = an_slo("b", requests("other"))
    del slos[0]
    assert list(remembered(slos)) == [line_of(slo) for slo in slos]

"""What applying needs of a rule engine, on each that we have: Prometheus, and the rulers of Mimir and Cortex."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.adapters.ruler import Ruler, RulerAddress, RulerProduct
from controlplane.model.rule import RuleFile
from controlplane.ports import Permanent, RuleEngine
from flyball.demo import servers
from flyball.slo_wiring import rule_files_of
from slo.apply import Approval, RuleSwitch, SwitchResult, SwitchState
from slo.generation import MARKER_GROUP, generation_of
from tests.contracts.fake_ruler import FakeRuler, fake_ruler
from tests.slo.applying import rules, to_yaml


@dataclass
class Bench:
    """A folder and the engine that takes its rules; `refused` is an expression that it does not take."""

    folder: RuleFolderOnDisk
    engine: RuleEngine
    ruler: FakeRuler | None = None

    def bring(self, files: tuple[RuleFile, ...]) -> SwitchResult:
        def approve(approval: Approval) -> None:
            del approval

        generation = generation_of(files, to_yaml)
        with self.folder.exclusive():
            return RuleSwitch(self.folder, self.engine).bring(generation, files, approve=approve)

    def groups(self) -> list[str]:
        return sorted(group.name for group in self.engine.loaded_groups())


def ruler_bench(folder: Path, ruler: FakeRuler, product: RulerProduct = RulerProduct.MIMIR, **given: str) -> Bench:
    kept = RuleFolderOnDisk(folder)
    address = RulerAddress(product, ruler.url, "flyball", **given)
    engine = Ruler(address, lambda: rule_files_of(kept), marker=MARKER_GROUP, sleep=lambda seconds: None)
    return Bench(kept, engine, ruler)


@pytest.fixture(params=["prometheus", "mimir", "cortex"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as open_until_the_end:
        if request.param == "prometheus":
            globs = [str(tmp_path / "rules/current/*.yaml")]
            server = open_until_the_end.enter_context(servers.prometheus(tmp_path / "engine", rule_globs=globs))
            yield Bench(RuleFolderOnDisk(tmp_path / "rules"), PrometheusBackend(server.url))
            return
        prefix = "/prometheus/config/v1/rules" if request.param == "mimir" else "/api/v1/rules"
        ruler = open_until_the_end.enter_context(fake_ruler(prefix=prefix, refuse_containing="sum("))
        yield ruler_bench(tmp_path / "rules", ruler, RulerProduct(request.param))


def test_rules_run_after_they_were_brought_and_a_second_time_there_is_nothing_to_do(bench: Bench) -> None:
    files = rules("vector(1)", "checkout", "search")
    assert bench.bring(files).state is SwitchState.APPLIED
    assert bench.groups() == ["flyball-generation", "slo-checkout", "slo-search"]
    assert bench.bring(files).state is SwitchState.UNCHANGED


def test_changed_rules_replace_those_of_before_and_those_no_longer_wanted_go(bench: Bench) -> None:
    bench.bring(rules("vector(1)", "checkout", "search"))
    assert bench.bring(rules("vector(2)", "checkout")).state is SwitchState.APPLIED
    loaded = {name: expr for group in bench.engine.loaded_groups() for name, expr in group.rules}
    assert loaded["test:checkout"] == "vector(2)"
    assert bench.groups() == ["flyball-generation", "slo-checkout"]


def test_after_a_refusal_the_last_good_rules_run_again(bench: Bench) -> None:
    bench.bring(rules("vector(1)", "checkout"))
    result = bench.bring((*rules("vector(2)", "checkout"), *rules("sum(", "search")))
    assert (result.state, result.confirmed) == (SwitchState.ROLLED_BACK, True)
    loaded = {name: expr for group in bench.engine.loaded_groups() for name, expr in group.rules}
    assert (loaded["test:checkout"], "test:search" in loaded) == ("vector(1)", False)


def test_a_ruler_is_sent_only_the_groups_that_changed_and_the_marker_last(tmp_path: Path) -> None:
    with fake_ruler() as ruler:
        bench = ruler_bench(tmp_path, ruler)
        bench.bring(rules("vector(1)", "checkout", "search"))
        assert ruler.changes[-1] == "POST flyball-generation"
        ruler.changes.clear()
        bench.bring((*rules("vector(1)", "checkout"), *rules("vector(2)", "search")))
        assert ruler.changes == ["POST slo-search", "POST flyball-generation"]
        ruler.changes.clear()
        bench.bring(rules("vector(1)", "checkout"))
        assert ruler.changes == ["DELETE slo-search", "POST flyball-generation"]


def test_other_namespaces_and_tenants_of_a_ruler_are_left_alone(tmp_path: Path) -> None:
    with fake_ruler() as ruler:
        ruler.tenants = {"shop": {"theirs": {"a": {"name": "a", "rules": []}}}, "anonymous": {"flyball": {}}}
        ruler_bench(tmp_path, ruler, tenant="shop").bring(rules("vector(1)", "checkout"))
        assert ruler.groups("theirs", "shop") == ["a"]
        assert ruler.groups("flyball", "shop") == ["flyball-generation", "slo-checkout"]
        assert ruler.groups() == []


def test_a_fresh_checkout_whose_rules_a_ruler_refuses_puts_back_what_ran_and_deletes_nothing(tmp_path: Path) -> None:
    with fake_ruler() as ruler:
        ruler_bench(tmp_path / "first", ruler).bring(rules("vector(1)", "checkout", "search"))
        ruler.refuse_containing = "nonsense"
        result = ruler_bench(tmp_path / "second", ruler).bring(
            (*rules("vector(2)", "checkout"), *rules("nonsense", "z"))
        )
        assert result.state is SwitchState.ROLLED_BACK
        assert ruler.groups() == ["flyball-generation", "slo-checkout", "slo-search"]
        assert ruler.tenants["anonymous"]["flyball"]["slo-checkout"]["rules"][0]["expr"] == "vector(1)"


def test_overload_is_waited_out_and_lasting_overload_puts_back_what_ran(tmp_path: Path) -> None:
    with fake_ruler() as ruler:
        bench = ruler_bench(tmp_path, ruler)
        ruler.failures = [(429, "slow down"), (503, "starting")]
        assert bench.bring(rules("vector(1)", "checkout")).state is SwitchState.APPLIED
        ruler.failures = [(429, "slow down")] * 4
        result = bench.bring(rules("vector(2)", "checkout"))
        assert (result.state, result.may_pass, "429: slow down" in result.reason) == (
            SwitchState.ROLLED_BACK,
            True,
            True,
        )
        assert ruler.tenants["anonymous"]["flyball"]["slo-checkout"]["rules"][0]["expr"] == "vector(1)"


def test_a_ruler_that_does_not_know_us_says_which_setting_is_missing(tmp_path: Path) -> None:
    with fake_ruler(token="right") as ruler:
        bench = ruler_bench(tmp_path, ruler, token="wrong")
        with pytest.raises(Permanent, match="FLYBALL_RULER_TOKEN") as refusal:
            bench.engine.ensure_answering()
        assert "wrong" not in str(refusal.value)
        assert (
            ruler_bench(tmp_path, ruler, token="right").bring(rules("vector(1)", "checkout")).state
            is SwitchState.APPLIED
        )


def test_a_url_without_a_ruler_api_is_told_apart_from_an_empty_namespace(tmp_path: Path) -> None:
    with fake_ruler() as ruler:
        ruler.url = ruler.url.removesuffix("/prometheus")
        result = ruler_bench(tmp_path, ruler).bring(rules("vector(1)", "checkout"))
        assert (result.state, "has no ruler API at /config/v1/rules" in result.reason) == (
            SwitchState.ROLLED_BACK,
            True,
        )

"""Every exclusion goes to the audit log when it comes, changes, goes and expires."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane import conventions
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.model.exclusion import Exclusion
from controlplane.model.generation import TextFile
from controlplane.model.slo import SLO
from controlplane.rulefile import to_yaml
from flyball.demo import servers
from slo import manifest
from slo.compiler import compile_rules
from slo.daemon import SLODaemon
from slo.exclusions.changes import changes, expiries, in_force, in_generation
from slo.ports import Compiled
from tests.slo.applying import NOW, MemoryJournal
from tests.slo.slos import an_slo, requests

HOUR = timedelta(hours=1)
UPGRADE = Exclusion("upgrade", "payments", "database upgrade", NOW + 30 * HOUR, ((NOW, NOW + HOUR),))
CHECKOUT, SEARCH = an_slo("checkout", requests("a")), an_slo("search", requests("b"))


def with_exclusions(*exclusions: Exclusion, slo: SLO = CHECKOUT) -> SLO:
    return replace(slo, exclusions=exclusions)


def told(before: list[SLO], after: list[SLO]) -> list[tuple[str, str]]:
    found = changes(in_force(before), in_force(after), step="1", now=NOW)
    return [(event.kind.removeprefix("slo.exclusion_"), event.subject) for event in found]


def test_coming_changing_and_going_are_told_and_nothing_else() -> None:
    plain, excluded = [CHECKOUT, SEARCH], [with_exclusions(UPGRADE), SEARCH]
    assert told(plain, excluded) == [("added", "upgrade")]
    assert told(excluded, excluded) == []
    assert told(excluded, plain) == [("removed", "upgrade")]
    for changed in (
        replace(UPGRADE, owner="shop"), replace(UPGRADE, reason="because"), replace(UPGRADE, expires=NOW),
        replace(UPGRADE, intervals=((NOW, NOW + 2 * HOUR),)), replace(UPGRADE, recurrence="FREQ=DAILY"),
    ):  # fmt: skip
        assert told(excluded, [with_exclusions(changed), SEARCH]) == [("changed", "upgrade")]
    assert told(excluded, [*excluded[:1], with_exclusions(UPGRADE, slo=SEARCH)]) == [("changed", "upgrade")]


def test_an_entry_says_who_why_when_and_of_what() -> None:
    longer = replace(UPGRADE, intervals=((NOW, NOW + 2 * HOUR),))
    (event,) = changes(
        in_force([with_exclusions(UPGRADE)]), in_force([with_exclusions(longer)]), step="1", now=NOW
    )  # fmt: skip
    before = event.data["before"]
    assert isinstance(before, dict)
    assert event.data["owner"] == "payments"
    assert event.data["reason"] == "database upgrade"
    assert event.data["slos"] == ["checkout"]
    assert event.data["intervals"] == ["2026-01-01T00:00:00Z/2026-01-01T02:00:00Z"]
    assert before["intervals"] == ["2026-01-01T00:00:00Z/2026-01-01T01:00:00Z"]
    assert event.data["expires"] == "2026-01-02T06:00:00Z"


def test_an_expiry_is_told_once_it_is_due() -> None:
    excluded = in_force([with_exclusions(UPGRADE)])
    assert list(expiries(excluded, UPGRADE.expires - HOUR)) == []
    first, again = (list(expiries(excluded, UPGRADE.expires + by * HOUR)) for by in (0, 1))
    assert [event.id for event in first] == [event.id for event in again]
    assert len(first) == 1


@pytest.mark.parametrize("text", ["", "nonsense", '{"flyball": 99}\n', '{"flyball": 1}\n{"exclusions":[{}]}\n'])
def test_a_generation_that_does_not_say_what_it_was_made_from_has_no_exclusions(text: str) -> None:
    assert in_generation([TextFile(manifest.FILE_NAME, text)]) == {}


@dataclass
class Files:
    """A workspace with the SLOs that a test sets."""

    slos: tuple[SLO, ...]

    def fingerprint(self) -> object:
        return self.slos

    def compile(self) -> Compiled:
        lines = manifest.manifest_of(map(manifest.line_of, self.slos), {})
        kept = TextFile(manifest.FILE_NAME, lines.text())
        return Compiled(str(hash(self.slos)), compile_rules(self.slos), self.slos, manifest=kept)


def test_applying_writes_exclusions_to_the_journal_also_after_a_restart(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    with servers.prometheus(tmp_path / "prometheus", rule_globs=[f"{rules}/current/*.yaml"]) as server:
        backend, journal = PrometheusBackend(server.url), MemoryJournal()

        def applied(slo: SLO, hours: int) -> list[str]:
            """What a new process tells."""
            known = len(journal.events)
            daemon = SLODaemon(Files((slo,)), RuleFolderOnDisk(rules), backend, journal, to_yaml)  # type: ignore[arg-type]
            daemon.run_once(NOW + hours * HOUR)
            return [event.kind for event in list(journal.events.values())[known:]]

        other = replace(UPGRADE, reason="another one")
        assert applied(with_exclusions(UPGRADE), 0) == [
            conventions.EVENT_EXCLUSION_ADDED,
            conventions.EVENT_RULES_APPLIED,
        ]
        assert applied(with_exclusions(UPGRADE), 1) == []
        assert applied(with_exclusions(other), 2)[:1] == [conventions.EVENT_EXCLUSION_CHANGED]
        assert applied(with_exclusions(other), 40) == [conventions.EVENT_EXCLUSION_EXPIRED]
        assert applied(with_exclusions(other), 41) == []
        assert applied(CHECKOUT, 42)[:1] == [conventions.EVENT_EXCLUSION_REMOVED]
        backend.close()

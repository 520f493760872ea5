"""Imported again: the same bytes change nothing, others replace the period, and what that restated is told."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane import conventions as names
from finops.billed.adapters.duckdb_ledger import open_ledger
from finops.billed.adapters.importer import Importer
from finops.billed.daemon import BilledCollector, BilledDaemon
from finops.billed.events import events_of, events_since
from finops.billed.ledger.encoding import decoded, encoded
from finops.billed.model import CostSource
from tests.finops.billed.focus import NOW, Ledger, row, write_csv


def test_the_same_bytes_under_another_name_change_nothing(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take(write_csv(tmp_path / "a.csv", row()))
    before = ledger.bytes()
    outcome = ledger.take(write_csv(tmp_path / "b.csv", row()))
    assert [each.state.value for each in outcome.imported] == ["unchanged"]
    assert ledger.bytes() == before
    assert list(events_of(outcome.imported)) == []


def test_a_restated_period_is_replaced_and_the_difference_is_told_by_service(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take(write_csv(tmp_path / "a.csv", row(), row(ServiceName="Storage"), row(ServiceName="Gone")))
    outcome = ledger.take(
        write_csv(tmp_path / "a.csv", row(), row(ServiceName="Storage", BilledCost="0.75"), row(ServiceName="New"))
    )
    restated = outcome.imported[0].restatement
    assert restated is not None
    assert [(each.service, each.billed_before, each.billed_after) for each in restated.changes] == [
        ("Gone", Decimal("1.5"), 0), ("New", 0, Decimal("1.5")), ("Storage", Decimal("1.5"), Decimal("0.75")),
    ]  # fmt: skip
    kinds = [event.kind for event in events_of(outcome.imported)]
    assert kinds == [names.EVENT_COST_IMPORTED, names.EVENT_COST_RESTATED]
    assert ledger.billed() == {"USD": Decimal("3.75")}
    assert open_ledger(ledger.folder).catalogue().history == (restated,)


def test_what_somebody_else_imported_is_told_with_the_same_events(ledger: Ledger, tmp_path: Path) -> None:
    """By `flyball cost import`, say: whoever tells the event log later reads it from the ledger."""
    ledger.take(write_csv(tmp_path / "a.csv", row()))
    outcome = ledger.take(write_csv(tmp_path / "a.csv", row(BilledCost="0.75")))
    catalogue = open_ledger(ledger.folder).catalogue()
    assert list(events_since(catalogue, NOW)) == list(events_of(outcome.imported))
    assert events_since(catalogue, NOW + timedelta(seconds=1)) == ()


def test_other_bytes_with_the_same_sums_are_no_restatement(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take(write_csv(tmp_path / "a.csv", row()))
    outcome = ledger.take(write_csv(tmp_path / "a.csv", row(BilledCost="1.50")))
    assert [(each.state.value, each.restatement) for each in outcome.imported] == [("replaced", None)]


def test_sources_are_added_and_never_replace_one_another(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", row())
    ledger.take(path, name="one")
    ledger.take(path, name="two")
    assert ledger.billed() == {"USD": 3}


def test_a_catalogue_survives_being_written_and_read(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take(write_csv(tmp_path / "a.csv", row(), row(BilledCost="x"), row()), dimensions={})
    ledger.take(write_csv(tmp_path / "a.csv", row(BilledCost="0.1"), row(BilledCost="x"), row()))
    catalogue = open_ledger(ledger.folder).catalogue()
    assert decoded(encoded(catalogue)) == catalogue
    assert len(catalogue.history) == 1


def test_the_daemon_tells_prometheus_how_far_the_bills_reach_and_what_is_wrong_with_them(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources = [
        CostSource("good", str(write_csv(tmp_path / "a.csv", row(), row(), row(BilledCost="")))),
        CostSource("gone", str(tmp_path / "nowhere")),
    ]
    caplog.set_level("INFO", logger="finops.billed.daemon")
    turn = BilledDaemon(Importer(ledger.folder)).run_once(sources, NOW)
    assert [(each.getMessage(), vars(each)["source"]) for each in caplog.records] == [
        ("finops.bill", "good"), ("finops.bill_problem", "gone"),
    ]  # fmt: skip
    assert [outcome.refused for outcome in turn.outcomes] == [False, True]
    assert [event.kind for event in turn.events] == [names.EVENT_COST_IMPORTED]
    families = {each.name: each.samples for each in BilledCollector(open_ledger(ledger.folder)).collect()}
    assert [(each.labels, each.value) for each in families[names.BILLED_ROWS]] == [({"source": "good"}, 2)]
    assert [(each.labels, each.value) for each in families[names.BILLED_FAULTS]] == [
        ({"source": "good", "fault": "cost-missing"}, 1)
    ]
    assert families[names.BILLED_UNTIL][0].value == 1_791_172_800

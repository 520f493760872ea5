"""Files that cannot be read as a whole: a clear problem with its place, and the ledger as it was before."""

import gzip
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from controlplane.ports import Transient
from finops.billed.adapters.session import Session
from finops.billed.model import Bounds
from finops.billed.outcome import Asked
from tests.finops.billed.focus import COLUMNS, Ledger, csv_text, row, write_csv

GOOD = csv_text([row()])
HEADER = GOOD.splitlines()[0]
AT = GOOD.splitlines()[1].index("Compute") + 1
CASES: dict[str, tuple[bytes, str, int, int]] = {
    "empty": (b"", "empty-file", 1, 1),
    "header-only": (f"{HEADER}\n".encode(), "no-rows", 1, 1),
    "no-header": (b"\n\n\n", "csv-header", 1, 1),
    "semicolons": (GOOD.replace(",", ";").encode(), "csv-delimiter", 1, 1),
    "not-utf-8": (GOOD.replace("Compute", "Comput\xe9").encode("latin-1"), "not-utf-8", 2, AT + 6),
    "utf-16": (GOOD.encode("utf-16"), "not-utf-8", 1, 1),
    "nul": (GOOD.replace("Compute", "Com\0pute").encode(), "not-text", 2, AT + 3),
    "missing-column": (csv_text([row()], COLUMNS[1:]).encode(), "missing-column", 1, 1),
    "misspelt-column": (GOOD.replace("EffectiveCost", "EffectivCost").encode(), "missing-column", 1, 12),
    "duplicate-column": (GOOD.replace("ListCost", "billedcost").encode(), "duplicate-column", 1, 26),
    "half-row": (GOOD.encode() + b"1.5,1.25,2,USD,2026-10-01T00", "half-written", 3, 1),
    "half-quote": ((GOOD + GOOD.splitlines()[1])[:-4].encode(), "half-written", 3, 1),
    "half-gzip": (gzip.compress(GOOD.encode() * 50)[:-20], "half-written", 1, 1),
    "damaged-gzip": (gzip.compress(GOOD.encode())[:20] + b"x" * 80, "damaged-file", 1, 1),
    "half-parquet": (b"PAR1" + b"\0" * 500, "half-written", 1, 1),
    "damaged-parquet": (b"PAR1" + b"\0" * 500 + b"PAR1", "damaged-file", 1, 1),
    "zstd": (b"\x28\xb5\x2f\xfd" + b"\0" * 50, "archive", 1, 1),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_cannot_be_read_is_a_problem_with_its_place_and_changes_nothing(
    name: str, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.take(write_csv(tmp_path / "good.csv", row()))
    before = ledger.bytes()
    content, rule, line, column = CASES[name]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    outcome = ledger.take(path)
    assert outcome.refused
    problem = outcome.problems[0]
    assert (problem.rule, problem.path, problem.line, problem.column) == (rule, str(path), line, column)
    assert ledger.bytes() == before


def test_a_misspelt_column_is_asked_for_by_name(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(GOOD.replace("EffectiveCost", "EffectivCost"))
    problem = ledger.take(path).problems[0]
    assert (problem.field, problem.hint) == ("EffectiveCost", "did you mean `EffectivCost` to be it?")


def test_every_missing_column_is_named_at_once(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    fields = {problem.field for problem in ledger.take(tmp_path / "bad.csv").problems}
    assert fields == {
        "BilledCost", "EffectiveCost", "BillingCurrency", "BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd",
        "ChargeCategory", "ServiceName",
    }  # fmt: skip


def test_a_zip_archive_is_refused_whatever_it_is_called(ledger: Ledger, tmp_path: Path) -> None:
    for name in ("bills.zip", "bills.csv"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("costs.csv", GOOD)
        outcome = ledger.take(tmp_path / name)
        assert [problem.rule for problem in outcome.problems] == ["archive"]


def test_a_zip_bomb_stops_at_its_bounds(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(GOOD.encode())
        for _ in range(200):
            file.write(GOOD.splitlines(keepends=True)[1].encode() * 4000)
    outcome = ledger.take(path)
    assert [problem.rule for problem in outcome.problems] == ["zip-bomb"]
    small = ledger.take(path, bounds=Bounds(unpacked_bytes=1000, unpacked_ratio=1100))
    assert "1,000 bytes" in small.problems[0].message
    assert not list((ledger.folder / "work").glob("*"))


def test_a_line_of_a_gigabyte_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(GOOD.encode())
        file.truncate(1024**3)  # a hole of NUL bytes; text of that length is refused likewise
    long_text = tmp_path / "long-text.csv"
    with long_text.open("wb") as file:
        file.write(GOOD.encode())
        for _ in range(40):
            file.write(b"x" * 1024**2)
    script = (
        "import sys, resource; from pathlib import Path; from tests.finops.billed.focus import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1])); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for name in sys.argv[2:]: print(ledger.take(name).problems[0].rule)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "ledger", path, long_text],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    first, second, kilobytes = done.stdout.split()
    assert (first, second) == ("not-text", "line-too-long")
    assert int(kilobytes) < 64 * 1024
    assert resource.getpagesize()


def test_bounds_of_files_and_sizes_are_kept(ledger: Ledger, tmp_path: Path) -> None:
    for number in range(3):
        write_csv(tmp_path / "many" / f"{number}.csv", row())
    cases: list[tuple[Bounds, str]] = [
        (Bounds(files=2), "too-many-files"),
        (Bounds(file_bytes=100), "too-large"),
        (Bounds(total_bytes=1000), "too-large"),
        (Bounds(line_bytes=100), "line-too-long"),
    ]
    for bounds, rule in cases:
        assert [problem.rule for problem in ledger.take(tmp_path / "many", bounds=bounds).problems] == [rule]


def test_a_link_that_leads_out_of_the_folder_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    outside = write_csv(tmp_path / "outside.csv", row())
    write_csv(tmp_path / "inside" / "a.csv", row())
    (tmp_path / "inside" / "b.csv").symlink_to(outside)
    assert [problem.rule for problem in ledger.take(tmp_path / "inside").problems] == ["link-outside"]
    (tmp_path / "inside" / "b.csv").unlink()
    (tmp_path / "inside" / "b.csv").symlink_to(tmp_path / "inside" / "a.csv")
    assert not ledger.take(tmp_path / "inside").refused


def test_a_missing_file_and_an_empty_folder_are_problems(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert [problem.rule for problem in ledger.take(tmp_path / "nowhere.csv").problems] == ["no-such-file"]
    assert [problem.rule for problem in ledger.take(tmp_path / "empty").problems] == ["no-files"]


def test_a_file_that_changes_while_it_is_read_never_counts(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finops.billed.adapters import importer

    path = write_csv(tmp_path / "costs.csv", row())
    original: Callable[..., object] = importer.make_partitions

    def slow(*arguments: object) -> object:
        path.write_text(csv_text([row(), row()]))
        return original(*arguments)

    monkeypatch.setattr(importer, "make_partitions", slow)
    outcome = ledger.take(path)
    assert [problem.rule for problem in outcome.problems] == ["changed-meanwhile"]
    assert ledger.spend() == ()


def test_a_column_of_a_type_that_holds_no_costs_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "costs.parquet"
    columns = ", ".join(
        f"TRUE AS {name}" if name == "BilledCost" else f"'{value}' AS {name}" for name, value in row().items()
    )
    duckdb.sql(f"COPY (SELECT {columns}) TO '{path}' (FORMAT parquet)")
    problem = ledger.take(path).problems[0]
    assert (problem.rule, problem.field) == ("column-type", "BilledCost")


def test_another_payer_s_bill_does_not_replace_a_period(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take(write_csv(tmp_path / "aws.csv", row()))
    other = write_csv(tmp_path / "azure.csv", row(ProviderName="Microsoft", BillingAccountId="999"))
    assert [problem.rule for problem in ledger.take(other).problems] == ["other-payer"]
    assert not ledger.take(other, name="azure").refused


def test_strict_refuses_what_would_be_left_out(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "costs.csv", row(), row(BilledCost="NaN"))
    outcome = ledger.take(path, asked=Asked(strict=True))
    problem = outcome.problems[0]
    assert (problem.rule, problem.line, problem.column, problem.field) == ("cost-not-finite", 3, 1, "BilledCost")
    assert ledger.spend() == ()


def test_strict_refuses_what_was_left_out_before_too(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "costs.csv", row(), row(EffectiveCost="NaN"))
    assert not ledger.take(path).refused
    before = ledger.bytes()
    again = ledger.take(path, asked=Asked(strict=True))
    assert (again.refused, [each.rule for each in again.problems]) == (True, ["cost-not-finite"])
    assert not ledger.take(path).refused
    assert ledger.bytes() == before


def test_a_dry_run_tells_everything_and_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "costs.csv", row())
    outcome = ledger.take(path, asked=Asked(dry_run=True))
    assert [each.partition.rows for each in outcome.imported] == [1]
    assert ledger.bytes() == {}


def test_paths_with_odd_characters_are_read_as_they_are(ledger: Ledger, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "o'dd [1]*?;--" / "co'sts[2].csv", row())
    assert not ledger.take(path).refused
    assert not Ledger(tmp_path / "led'ger [x]").take(path).refused
    assert Ledger(tmp_path / "led'ger [x]").spend()[0].rows == 1


def test_duckdb_opens_nothing_but_what_it_is_shown(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    write_csv(tmp_path / "outside.csv", row())
    session = Session(folders=[tmp_path / "inside"], files=[], memory_bytes=256 * 1024**2, spill=None)
    for statement in (
        f"SELECT * FROM read_csv('{tmp_path}/outside.csv')", f"COPY (SELECT 1) TO '{tmp_path}/new.csv'",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')", "INSTALL httpfs", "SET enable_external_access = true",
        f"ATTACH '{tmp_path}/new.duckdb'",
    ):  # fmt: skip
        with pytest.raises((duckdb.Error, Transient)):
            session.run(statement)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "outside.csv"]

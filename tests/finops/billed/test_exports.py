"""The layouts in which clouds deliver their bills."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from finops.billed.model import Format
from finops.billed.outcome import Asked
from finops.billed.reading.manifests import BadManifest, aws_manifest, azure_manifest, partition_of
from tests.finops.billed.focus import COLUMNS, Ledger, faults, row, write_csv

DETECT = Asked(detect=True)


def aws(folder: Path, month: str, *amounts: str, listed: tuple[str, ...] = ()) -> Path:
    """An export of AWS as it lies in a bucket: data, then the manifest."""
    partition = f"BILLING_PERIOD={month}"
    start = f"{month}-01T00:00:00Z"
    for number, amount in enumerate(amounts):
        path = folder / "focus" / "data" / partition / f"focus-{number:05d}.csv.gz"
        write_csv(
            path,
            row(BilledCost=amount, BillingPeriodStart=start, ChargePeriodStart=start,
                ChargePeriodEnd=f"{month}-01T01:00:00Z"),
        )  # fmt: skip
    names = listed or tuple(f"focus-{number:05d}.csv.gz" for number in range(len(amounts)))
    manifest = folder / "focus" / "metadata" / partition / "focus-Manifest.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    urls = [f"s3://bucket/prefix/focus/data/{partition}/{name}" for name in names]
    manifest.write_text(json.dumps({"executionId": "e-1", "dataFiles": urls}, indent=1))
    return folder


def azure(folder: Path, run: str, submitted: str, amount: str, rows: int = 1, size: int | None = None) -> Path:
    """A run of an export of Azure."""
    base = folder / "exports" / "focus" / "20261001-20261031" / run
    data = write_csv(base / "part_0_0001.csv", row(BilledCost=amount, ProviderName="Microsoft"))
    document = {
        "manifestVersion": "2024-04-01",
        "dataRowCount": rows,
        "runInfo": {"submittedTime": submitted, "startDate": "2026-10-01T00:00:00"},
        "blobs": [
            {
                "blobName": f"exports/focus/20261001-20261031/{run}/part_0_0001.csv",
                "byteCount": size if size is not None else data.stat().st_size,
                "dataRowCount": rows,
            }
        ],
    }
    (base / "manifest.json").write_text(json.dumps(document))
    return folder


def test_an_aws_export_is_read_by_its_manifests_month_by_month(ledger: Ledger, tmp_path: Path) -> None:
    aws(aws(tmp_path / "b", "2026-09", "1", "2"), "2026-10", "4")
    outcome = ledger.take(tmp_path / "b", asked=DETECT)
    assert [(each.partition.key.period_name, each.partition.rows) for each in outcome.imported] == [
        ("2026-09", 2), ("2026-10", 1),
    ]  # fmt: skip
    aws(tmp_path / "b", "2026-10", "5")
    states = [each.state.value for each in ledger.take(tmp_path / "b", format=Format.AWS).imported]
    assert (states, ledger.billed()) == (["unchanged", "replaced"], {"USD": 8})


def test_a_manifest_that_names_a_missing_file_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take(aws(tmp_path / "b", "2026-10", "1"), asked=DETECT)
    before = ledger.bytes()
    aws(tmp_path / "b", "2026-10", "2", listed=("focus-00000.csv.gz", "focus-00001.csv.gz"))
    problem = ledger.take(tmp_path / "b", asked=DETECT).problems[0]
    assert (problem.rule, Path(problem.path).name, problem.line) == ("missing-file", "focus-Manifest.json", 5)
    assert ledger.bytes() == before


def test_a_partition_without_a_manifest_does_not_count_yet(ledger: Ledger, tmp_path: Path) -> None:
    aws(aws(tmp_path / "b", "2026-09", "1"), "2026-10", "4")
    (tmp_path / "b/focus/metadata/BILLING_PERIOD=2026-10/focus-Manifest.json").unlink()
    outcome = ledger.take(tmp_path / "b", asked=DETECT)
    assert [problem.rule for problem in outcome.problems] == ["no-manifest"]
    assert ledger.billed() == {"USD": 1}
    for path in (tmp_path / "b").rglob("*.json"):
        path.unlink()
    assert ledger.take(tmp_path / "b", format=Format.AWS).refused


def test_a_half_written_manifest_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    aws(tmp_path / "b", "2026-10", "1")
    manifest = next((tmp_path / "b").rglob("*Manifest.json"))
    manifest.write_text(manifest.read_text()[:30])
    assert [problem.rule for problem in ledger.take(tmp_path / "b", asked=DETECT).problems] == ["bad-manifest"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "s3://bucket/a/../../b", "/..", "s3://bucket/%2e%2e/x"])
def test_a_manifest_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    reads: list[tuple[Callable[..., object], object]] = [
        (aws_manifest, {"dataFiles": [name]}),
        (azure_manifest, {"blobs": [{"blobName": name}]}),
    ]
    for read, document in reads:
        with pytest.raises(BadManifest, match="out of the folder"):
            read("x-Manifest.json", json.dumps(document).encode(), ["b"])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"dataFiles": "x"}', '{"dataFiles": [1]}', "[" * 100_000])
def test_a_manifest_of_another_shape_is_refused(content: str) -> None:
    with pytest.raises(BadManifest):
        aws_manifest("x-Manifest.json", content.encode(), [])


def test_partitions_are_recognised_in_any_letter_case() -> None:
    assert str(partition_of("a/billing_period=2026-10/b")) == "2026-10-01"
    assert partition_of("BILLING_PERIOD=2026-13/b") is None


def test_of_several_azure_runs_the_latest_counts(ledger: Ledger, tmp_path: Path) -> None:
    azure(tmp_path / "b", "run-z", "2026-11-01T03:00:00Z", "1")
    azure(tmp_path / "b", "run-a", "2026-11-02T03:00:00Z", "2")
    ledger.take(tmp_path / "b", asked=DETECT)
    assert ledger.billed() == {"USD": 2}


def test_an_azure_run_that_is_not_complete_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    azure(tmp_path / "sizes", "run", "2026-11-01T03:00:00Z", "1", size=5)
    azure(tmp_path / "rows", "run", "2026-11-01T03:00:00Z", "1", rows=2)
    for folder in ("sizes", "rows"):
        assert [one.rule for one in ledger.take(tmp_path / folder, asked=DETECT).problems] == ["half-written"]
    assert ledger.spend() == ()


def test_tags_of_bigquery_are_keys_and_values(ledger: Ledger, tmp_path: Path) -> None:
    tags = '[{"key": "Team ", "value": "core", "inherited": false}, {"key": "bare", "value": true}]'
    outcome = ledger.take(write_csv(tmp_path / "a.csv", row(Tags=tags)), format=Format.GCP)
    assert faults(outcome) == {("tag-key-spaced", "Tags"): (1, "normalised")}
    assert ledger.spend("team", "bare")[0].key == ("core", "true")


def test_later_versions_name_the_provider_otherwise(ledger: Ledger, tmp_path: Path) -> None:
    columns = tuple("ServiceProviderName" if name == "ProviderName" else name for name in COLUMNS)
    path = write_csv(tmp_path / "a.csv", row(ServiceProviderName="Google"), columns=columns)
    outcome = ledger.take(path)
    assert outcome.imported[0].partition.inputs[0].version == "1.3"
    assert ledger.spend("provider")[0].key == ("Google",)


def test_files_of_several_versions_and_periods_are_read_together(ledger: Ledger, tmp_path: Path) -> None:
    later = tuple("ServiceProviderName" if name == "ProviderName" else name for name in COLUMNS)
    november = {"BillingPeriodStart": "2026-11-01T00:00:00Z", "ChargePeriodStart": "2026-11-02T00:00:00Z",
                "ChargePeriodEnd": "2026-11-03T00:00:00Z"}  # fmt: skip
    write_csv(tmp_path / "b" / "a.csv", row(), row(**november))
    write_csv(tmp_path / "b" / "c.csv.gz", row(ServiceProviderName="AWS", **november), columns=later)
    ledger.take(tmp_path / "b")
    assert [(each.key, each.rows) for each in ledger.spend("month", "provider")] == [
        (("2026-10-01T00:00:00Z", "AWS"), 1), (("2026-11-01T00:00:00Z", "AWS"), 2),
    ]  # fmt: skip
    assert [each.rows for each in ledger.spend("resource")] == [3]


def test_a_glob_takes_what_fits(ledger: Ledger, tmp_path: Path) -> None:
    for name in ("2026-10-a.csv", "2026-10-b.csv", "other.csv", "_temporary.csv", ".hidden.csv"):
        write_csv(tmp_path / "b" / name, row())
    ledger.take(str(tmp_path / "b" / "2026-10-*.csv"))
    assert ledger.billed() == {"USD": 3}


def test_several_paths_are_one_source(ledger: Ledger, tmp_path: Path) -> None:
    first, second = write_csv(tmp_path / "a.csv", row()), write_csv(tmp_path / "b.csv", row(BilledCost="2"))
    ledger.take(first, further=(str(second),))
    assert ledger.billed() == {"USD": Decimal("3.5")}


@pytest.mark.parametrize("category", ["Usage", "Purchase", "Tax", "Credit", "Adjustment"])
def test_every_charge_category_counts(category: str, ledger: Ledger, tmp_path: Path) -> None:
    ledger.take(write_csv(tmp_path / "a.csv", row(ChargeCategory=category, BilledCost="-2")))
    assert [(each.key, each.billed) for each in ledger.spend("category")] == [((category,), -2)]

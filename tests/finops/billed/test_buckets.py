"""Bills in a bucket of a real S3-compatible server."""

import gzip
import json
import logging
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from controlplane.ports import Permanent, Transient
from finops.billed.adapters.importer import Importer
from finops.billed.adapters.trees import RemoteTree
from finops.billed.model import Bounds, CostSource, Format
from finops.billed.outcome import Outcome
from tests.finops.billed.focus import NOW, Ledger, csv_text, row

SECRETS = {"BILLS_KEY": "testing", "BILLS_SECRET": "testing-secret-7311"}
CREDENTIALS = (("key", "BILLS_KEY"), ("secret", "BILLS_SECRET"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of an S3-compatible server on this machine."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


class Bucket:
    """A bucket of its own."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self._client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id="testing", aws_secret_access_key="testing",
            region_name="us-east-1",
        )  # fmt: skip
        self._client.create_bucket(Bucket=name)

    def put(self, key: str, content: bytes | str) -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=content)

    def take(self, ledger: Ledger, key: str = "", **changes: object) -> Outcome:
        source = CostSource(
            name="bills", path=f"s3://{self.name}/{key}", endpoint=self.url, credentials=CREDENTIALS,
            **changes,  # type: ignore[arg-type]
        )  # fmt: skip
        return Importer(ledger.folder, SECRETS).run(source, NOW)


@pytest.fixture
def bucket(server: str, request: pytest.FixtureRequest) -> Bucket:
    return Bucket(server, f"b{abs(hash(request.node.name))}")


def test_objects_are_fetched_and_read_and_fetched_again_only_to_change_nothing(
    bucket: Bucket, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("focus/a.csv", csv_text([row()]))
    bucket.put("focus/b.csv.gz", gzip.compress(csv_text([row(BilledCost="2")]).encode()))
    bucket.put("focus/_SUCCESS", "")
    bucket.put("other/c.csv", csv_text([row(BilledCost="100")]))
    first = bucket.take(ledger, "focus/")
    assert [each.name for each in first.imported[0].partition.inputs] == [
        f"s3://{bucket.name}/focus/a.csv", f"s3://{bucket.name}/focus/b.csv.gz",
    ]  # fmt: skip
    assert [each.rows for each in ledger.spend()] == [2]
    with monkeypatch.context() as context:  # what the bucket says is the same is not even fetched
        context.setattr(RemoteTree, "local", None)
        assert [each.state.value for each in bucket.take(ledger, "focus/").imported] == ["unchanged"]
    assert [each.state.value for each in bucket.take(ledger, "focus/*.gz").imported] == ["replaced"]
    assert ledger.billed() == {"USD": 2}
    assert not list((ledger.folder / "work").glob("*"))


def test_a_single_object_may_be_named(bucket: Bucket, ledger: Ledger) -> None:
    bucket.put("focus/a.csv", csv_text([row()]))
    assert not bucket.take(ledger, "focus/a.csv").refused


def test_an_aws_export_in_a_bucket_is_read_by_its_manifest(bucket: Bucket, ledger: Ledger) -> None:
    key = "p/focus/data/BILLING_PERIOD=2026-10/focus-00001.csv"
    manifest = "p/focus/metadata/BILLING_PERIOD=2026-10/focus-Manifest.json"
    bucket.put(key, csv_text([row()]))
    bucket.put(manifest, json.dumps({"dataFiles": [f"s3://{bucket.name}/{key}"]}))
    assert not bucket.take(ledger, "p/focus", format=Format.AWS).refused
    before = ledger.bytes()
    bucket.put(manifest, json.dumps({"dataFiles": [f"s3://{bucket.name}/{key}", f"s3://{bucket.name}/missing.csv"]}))
    outcome = bucket.take(ledger, "p/focus", format=Format.AWS)
    assert [problem.rule for problem in outcome.problems] == ["missing-file"]
    assert outcome.problems[0].path == f"s3://{bucket.name}/{manifest}"
    assert ledger.bytes() == before


def test_an_object_is_fetched_within_bounds(bucket: Bucket, ledger: Ledger) -> None:
    bucket.put("a.csv", csv_text([row()]) * 100)
    assert [one.rule for one in bucket.take(ledger, bounds=Bounds(file_bytes=1000)).problems] == ["too-large"]
    with pytest.raises(Transient, match="within 0 s"):
        bucket.take(ledger, bounds=Bounds(seconds=0))
    assert ledger.spend() == ()


def test_what_is_not_there_is_a_problem_and_what_does_not_answer_is_transient(bucket: Bucket, ledger: Ledger) -> None:
    assert bucket.take(ledger, "nothing/").problems[0].rule == "no-such-file"
    bucket.url = "http://127.0.0.1:9"
    with pytest.raises(Transient) as caught:
        bucket.take(ledger)
    assert "testing-secret" not in str(caught.value)


def test_credentials_come_from_the_environment_and_are_named_when_they_lack(ledger: Ledger) -> None:
    source = CostSource("bills", "s3://bucket/", credentials=CREDENTIALS)
    problem = Importer(ledger.folder, {"BILLS_KEY": "x"}).run(source, NOW).problems[0]
    assert (problem.field, "BILLS_SECRET" in problem.message) == ("credentials", True)


def test_a_cloud_that_lacks_credentials_is_a_problem_of_the_source(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_CONNECTION_STRING"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Permanent, match=r"az://bills/a\.csv cannot be opened .*check spec\.credentials"):
        Importer(ledger.folder).run(CostSource(name="bills", path="az://bills/a.csv"), NOW)


def test_the_clients_of_clouds_write_no_logs_where_secrets_might_stand(bucket: Bucket, ledger: Ledger) -> None:
    logging.getLogger("gcsfs").setLevel(logging.WARNING)
    bucket.put("a.csv", csv_text([row()]))
    bucket.take(ledger, "a.csv")
    assert not any(logging.getLogger(name).isEnabledFor(logging.ERROR) for name in ("gcsfs", "botocore", "azure.core"))


@pytest.mark.parametrize("url", ["http://example.com/a.csv", "file:///etc/passwd", "ftp://x/y", "memory://x"])
def test_other_protocols_are_not_read(url: str, ledger: Ledger) -> None:
    assert [one.rule for one in ledger.take(url).problems] == ["unknown-protocol"]

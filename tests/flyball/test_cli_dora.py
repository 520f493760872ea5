"""`flyball dora`, on a workspace whose deliveries were measured."""

import csv
import io
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.store import SqlStore, migrate, open_store
from flyball.cli.dora import app, attributing, listing, report
from tests.exporters.dora.report import seeded

POLICY = """\
apiVersion: flyball.dev/v1
kind: DeliveryPolicy
metadata: {name: shop}
spec: {teams: {shop: [checkout], discovery: [search]}}
"""


@dataclass(frozen=True)
class Shop:
    folder: Path
    store: SqlStore

    def run(self, *arguments: object) -> tuple[int, str]:
        """What is printed, errors without their frame."""
        where = [str(self.folder), "--database", f"sqlite:///{self.folder}/state.db"]
        chosen = [str(each) for each in arguments]
        at = 2 if chosen[0] in ("show", "attribute") else 1
        done = CliRunner().invoke(app, [*chosen[:at], *where, *chosen[at:]])
        return done.exit_code, re.sub(r"[\s│]+", " ", done.output) if done.exit_code else done.output

    def json(self, *arguments: object) -> dict[str, object]:
        code, text = self.run(*arguments, "--json")
        assert code == 0, text
        found: dict[str, object] = json.loads(text)
        return found


@pytest.fixture(scope="module")
def seeded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dora") / "state.db"
    migrate(f"sqlite:///{path}")
    store = open_store(f"sqlite:///{path}")
    seeded.seed(store)
    seeded.take_events(store)
    store.close()
    return path


@pytest.fixture
def shop(seeded_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    for module in (attributing, listing, report):
        monkeypatch.setattr(module, "now", lambda: seeded.NOW)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "state.db").write_bytes(seeded_file.read_bytes())
    store = open_store(f"sqlite:///{tmp_path}/state.db")
    yield Shop(tmp_path, store)
    store.close()


def test_a_report_is_made_of_what_came_in_until_now(shop: Shop) -> None:
    code, text = shop.run("report", "--since", "30d", "--compare-previous")
    assert code == 0
    assert "DORA metrics by service, 2026-10-31 to 2026-11-30 (30 days, UTC)" in text
    assert re.search(r"^checkout +1/day +1 d +3.33 % +42 min +3.33 %$", text, re.MULTILINE)
    assert "Behind what came in" not in text  # the two events were looked at first
    scopes = shop.json("report", "--by", "team")["scopes"]
    assert [each["team"] for each in scopes] == ["discovery", "shop"]  # type: ignore[index, attr-defined]


def test_a_report_is_a_table_json_csv_or_a_page_as_its_file_is_called(shop: Shop) -> None:
    texts = {}
    for name in ("report.txt", "report.json", "report.csv", "report.html"):
        out = shop.folder / name
        assert shop.run("report", "--team", "shop", "-o", out) == (0, f"Written to {out}\n")
        texts[name] = (shop.folder / name).read_bytes().decode()
    assert texts["report.txt"].startswith("DORA metrics by service")
    assert json.loads(texts["report.json"])["scopes"][0]["service"] == "checkout"
    rows = list(csv.DictReader(io.StringIO(texts["report.csv"], newline="")))
    assert {row["service"] for row in rows} == {"checkout"}
    page = texts["report.html"]
    assert 'content="default-src &#39;none&#39;; style-src &#39;sha256-' in page
    assert "<script" not in page
    assert "Deployments a week" in page
    assert "Accelerate State of DevOps 2024" in page


def test_what_is_not_known_is_said_with_what_is_meant(shop: Shop) -> None:
    for arguments, said in (
        (("--service", "chekout"), "no service is named `chekout`: did you mean `checkout`?"),
        (("--team", "shp"), "no team is named `shp`: did you mean `shop`?"),
        (("--environment", "moon"), "no environment is named `moon`: there is production"),
    ):
        assert shop.run("report", *arguments) == (1, f"{said} ")
    for arguments, said in (
        (("--clusters", "2025"), "2025 has none any more"),
        (("--since", "30d", "--from", "2026-11-01"), "say one of --since and --from"),
        (("--from", "yesterday"), "is no day such as"),
        (("--from", "2026-11-30", "--to", "2026-11-01"), "must lie before --to"),
        (("--json", "--format", "csv"), "say one of --json and --format"),
    ):
        code, text = shop.run("report", *arguments)
        assert (code, said in text) == (2, True), text
    (shop.folder / "policy.yaml").write_text(POLICY.replace("teams", "taems"))
    code, text = shop.run("report")
    assert (code, "taems" in text) == (1, True)


def test_days_are_those_of_the_policy(shop: Shop) -> None:
    (shop.folder / "policy.yaml").write_text(POLICY.replace("spec: {", "spec: {timeZone: Pacific/Auckland, "))
    told = shop.json("report", "--from", "2026-11-10", "--to", "2026-11-11", "--clusters", "none")
    assert (told["from"], told["to"]) == ("2026-11-09T11:00:00Z", "2026-11-11T11:00:00Z")
    assert (told["days"], told["clusters_of"]) == (2, None)


def test_deployments_are_listed_with_what_became_of_them(shop: Shop) -> None:
    code, text = shop.run("deployments", "--failed")
    assert (code, len(re.findall("^2026-", text, re.MULTILINE))) == (0, 1)
    assert "failed (incident), recovered after 42 min: held against it:" in text
    assert max(map(len, text.splitlines())) <= 80
    found = shop.json("deployments", "--service", "checkout", "--limit", "9")
    assert (len(found["deployments"]), found["left_out"]) == (9, True)  # type: ignore[arg-type]


def test_one_deployment_is_shown_with_all_that_stands_behind_it(shop: Shop) -> None:
    code, text = shop.run("show", "1.20")
    assert code == 0
    assert "Change 20: 1.1 d lead time (coding 16 h, review 10 h, deploy 1 h)" in text
    assert "INC-7 Checkout fails for one in ten: lasted 42 min; by the rules" in text
    assert "dev.cdevents.service.upgraded.0.2.0 from /argo" in text
    code, text = shop.run("show", "1.19")
    assert (code, "several deployments are called 1.19" in text) == (1, True)
    assert shop.run("show", "9.99")[0] == 1


def test_an_attribution_is_corrected_for_the_audit_log_and_for_every_number(shop: Shop) -> None:
    rate = shop.json("report", "--service", "checkout")["scopes"][0]["change_fail_rate"]  # type: ignore[index]
    code, text = shop.run("attribute", "INC-7", "--to", "1.18", "--note", "the  pool\nsize", "--by", "ann")
    assert code == 0
    assert text.startswith("INC-7 is held against 1.18 of checkout in production.")
    (incident,) = [each for each in shop.json("incidents")["incidents"] if each["name"] == "INC-7"]  # type: ignore[attr-defined]
    assert (incident["deployment"], incident["reason"]) == ("/argo#checkout-18", "corrected")
    assert (incident["corrected_by"], incident["note"]) == ("ann", "the pool size")
    now = shop.json("report", "--service", "checkout")["scopes"][0]["change_fail_rate"]  # type: ignore[index]
    assert now["value"] > rate["value"]  # 1.20 was rolled back still, and 1.18 failed, too
    assert shop.run("attribute", "INC-7", "--none")[0] == 0
    assert shop.run("attribute", "INC-7", "--automatic")[1].startswith("INC-7 is attributed automatically again.")
    assert shop.json("report", "--service", "checkout")["scopes"][0]["change_fail_rate"] == rate  # type: ignore[index]
    with shop.store.transaction(read_only=True) as transaction:
        entries = [each for each in transaction.audit.entries() if each.action == "dora.attribute"]
        history = transaction.delivery.correction_history(seeded.INCIDENT)
    assert (entries[0].actor, entries[0].subject) == ("ann", "INC-7")
    assert [each.is_withdrawn for each in history] == [False, False, True]


def test_attributing_what_does_not_count_says_so(shop: Shop) -> None:
    with shop.store.transaction() as transaction:
        (incident,) = transaction.delivery.delivery_incidents([seeded.INCIDENT]).values()
        transaction.delivery.put_incidents([replace(incident, is_counted=False)])
    text = shop.run("attribute", "INC-7", "--to", "1.18")[1]
    assert text.startswith("INC-7 is held against 1.18 of checkout in production. It does not count")
    assert shop.json("attribute", "INC-7", "--automatic")["counted"] is False


def test_incidents_name_deployments_so_that_they_can_be_shown(shop: Shop) -> None:
    assert "checkout-20" in shop.run("incidents")[1]
    assert shop.run("show", "checkout-20")[0] == 0


def test_an_attribution_needs_one_target_that_there_is(shop: Shop) -> None:
    assert shop.run("attribute", "INC-7")[0] == 2
    assert shop.run("attribute", "INC-7", "--none", "--automatic")[0] == 2
    said = "flyball dora: no incident is named INC-8: did you mean INC-7? "
    assert shop.run("attribute", "INC-8", "--none") == (1, said)
    assert shop.run("attribute", "INC-7", "--to", "9.99")[0] == 1


def test_a_database_without_deliveries_says_how_to_begin(tmp_path: Path) -> None:
    for command in ("report", "deployments", "incidents"):
        done = CliRunner().invoke(app, [command, str(tmp_path), "--database", f"sqlite:///{tmp_path}/state.db"])
        assert done.exit_code == 0, done.output
    done = CliRunner().invoke(app, ["report", str(tmp_path), "--database", f"sqlite:///{tmp_path}/state.db"])
    assert "flyball event send" in done.output


def test_definitions_name_the_policys_own_times(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY.replace("spec: {", "spec: {attribution: {window: 90m}, "))
    done = CliRunner().invoke(app, ["definitions", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "within 1 h 30 min before it" in re.sub(r"\s+", " ", done.output)
    assert "https://dora.dev/guides/dora-metrics/" in done.output


def test_nobody_goes_on_with_a_repository_that_is_not_declared(shop: Shop, tmp_path: Path) -> None:
    full, shallow = tmp_path / "full", tmp_path / "shallow"
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for arguments in (
        ["init", "-q", str(full)],
        ["-C", str(full), *who, "commit", "-q", "--allow-empty", "-m", "first"],
        ["-C", str(full), *who, "commit", "-q", "--allow-empty", "-m", "second"],
        ["clone", "-q", "--depth", "1", full.as_uri(), str(shallow)],
    ):
        subprocess.run(["git", *arguments], check=True)
    where = ["--workspace", str(shop.folder), "--database", f"sqlite:///{shop.folder}/state.db"]
    done = CliRunner().invoke(app, ["collect", *where, "--git", str(shallow), "--service", "shop"])
    assert done.exit_code == 3, done.output
    assert "it is a shallow clone" in done.output
    assert "the daemon" not in done.output

"""IntelGraph's golden paths: everything that the demo's platform serves is on one, but for one honest gap."""

from datetime import UTC, datetime
from pathlib import Path

from controlplane.adapters.files import read_folder
from controlplane.model.check import VerdictKind
from flyball.demo.platform.catalogue import FLOWS
from flyball.examining import examine
from synthetics.golden_paths.coverage import coverage
from synthetics.golden_paths.declared import declared, inventories
from synthetics.golden_paths.evidence import CheckEvidence, Evidence, InventoryAnswer, RouteTraffic

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "intelgraph"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_every_route_of_the_platform_but_one_is_on_a_path() -> None:
    files, _ = read_folder(EXAMPLE)
    documents = examine(files).documents
    paths, (connectors, gateway) = declared(documents).values, inventories(documents).values
    requests = next(flow for flow in FLOWS if flow.metric == gateway.metric)
    events = next(flow for flow in FLOWS if flow.metric == connectors.metric)
    by_connector = {dict(cell.labels)["connector"] for cell in events.cells if dict(cell.labels).get("connector")}
    seen = (
        InventoryAnswer(
            gateway, tuple(RouteTraffic(route, "graphql-gateway", per_day=1e6) for route, _ in requests.routes)
        ),
        InventoryAnswer(connectors, tuple(RouteTraffic(name, "ingest", per_day=1e6) for name in by_connector)),
    )
    checks = {key: CheckEvidence(NOW, VerdictKind.UP) for path in paths for key in path.checks}
    found = coverage(paths, Evidence(seen, checks), NOW)
    assert [(gap.gap.value, gap.subject) for gap in found.gaps] == [
        ("route-on-no-path", "graphql-gateway /files/upload")
    ]
    assert {path.state.value for path in found.paths} == {"covered"}
    assert all(path.owner and path.runbook_url for path in paths)

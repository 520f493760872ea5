"""Our top-level packages have generic names; nothing else that we install may own them."""

from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("tests", "benchmarks")
)


def test_no_other_distribution_owns_the_names_of_our_packages() -> None:
    owners = packages_distributions()
    strangers = {name: set(owners.get(name, [])) - {"flyball"} for name in OURS}
    assert not any(strangers.values()), strangers


def test_the_wheel_names_every_package_that_there_is() -> None:
    assert OURS == ["alerts", "controlplane", "dashboards", "exporters", "finops", "flyball", "slo", "synthetics"]

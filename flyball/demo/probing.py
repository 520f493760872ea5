"""Probers of the demo: one process for each region, with its own token, seeing the platform through its own ingress."""

import json
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from flyball.demo import servers
from flyball.demo.folder import DemoFolder
from flyball.demo.platform.app_state import Credentials
from flyball.demo.platform.ingress import Ingress
from flyball.demo.servers import Server
from flyball.settings import environment_of_child

USER: Final = "synthetic"
EXAMPLE_AUTHORITY: Final = "/etc/intelgraph/ca.pem"  # what the example's files say; the demo has its own
KNOWN_GOOD: Final = "known-good.example"  # what regions check themselves against


@dataclass(frozen=True, slots=True)
class ProbingSecrets:
    """Made anew for each demo: what probers report with, by region, and how checks sign in."""

    tokens: Mapping[str, str]
    credentials: Credentials

    def variables(self) -> dict[str, str]:
        """What probes and journeys may name as `${env:…}`."""
        return {
            "INTELGRAPH_USER": self.credentials.user,
            "INTELGRAPH_PASSWORD": self.credentials.password,
            "INTELGRAPH_API_TOKEN": self.credentials.api_token,
        }


def new_secrets(folder: DemoFolder, regions: Sequence[str]) -> ProbingSecrets:
    """Secrets, with the tokens in files that their owners read."""
    made = ProbingSecrets(
        {region: secrets.token_urlsafe(32) for region in regions},
        Credentials(USER, secrets.token_urlsafe(16), secrets.token_urlsafe(24)),
    )
    folder.probers.mkdir(mode=0o700)
    lines = "".join(f"{region}={token}\n" for region, token in made.tokens.items())
    folder.write_secret(folder.prober_tokens, lines)
    for region, token in made.tokens.items():
        folder.write_secret(folder.prober_token(region), token)
    variables = "".join(f"{name}={value}\n" for name, value in made.variables().items())
    folder.write_secret(folder.prober_environment, variables)
    return made


def write_addresses(folder: DemoFolder, ingresses: Sequence[Ingress], authority: Path, pins: Mapping[str, str]) -> None:
    """Tell the copied workspace where each region reaches the platform, and whom its checks trust.

    `pins` are the same in every region. Comments in the file of the regions are lost.
    """
    by_name = {ingress.region: ingress for ingress in ingresses}
    for path in sorted(folder.workspace.rglob("*.yaml")):
        text = path.read_text()
        if EXAMPLE_AUTHORITY in text:
            text = text.replace(f"caFile: {EXAMPLE_AUTHORITY}", f"caFile: {json.dumps(str(authority))}")
            path.write_text(text)
        if "\nkind: Region\n" in text:
            documents = [_pinned(it, by_name, pins) for it in yaml.safe_load_all(text)]
            path.write_text(yaml.safe_dump_all(documents, sort_keys=False))


def _pinned(document: Any, ingresses: Mapping[str, Ingress], pins: Mapping[str, str]) -> Any:
    ingress = ingresses.get(document["metadata"]["name"]) if document and document.get("kind") == "Region" else None
    if ingress is None:
        return document
    return document | {"spec": document["spec"] | {"resolve": {**ingress.resolve, **pins}}}


@contextmanager
def probing(folder: DemoFolder, given: ProbingSecrets, console_url: str) -> Iterator[tuple[Server, ...]]:
    """A prober in each region until the end of the block; nobody waits for them."""
    with ExitStack() as stack:
        started = [stack.enter_context(_prober(folder, region, given, console_url)) for region in given.tokens]
        try:
            yield tuple(started)
        finally:
            for one in started:  # all at once: each may have a journey to end
                one.process.terminate()


@contextmanager
def _prober(folder: DemoFolder, region: str, given: ProbingSecrets, console_url: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "flyball", "run", "prober", str(folder.workspace), "--region", region]
    variables = {
        "FLYBALL_REGION": region,
        "FLYBALL_REPORT_TO": console_url,
        "FLYBALL_PROBER_TOKEN_FILE": str(folder.prober_token(region)),
        "FLYBALL_CHECKS_DIRECTORY": str(folder.probers / region),
        **given.variables(),
    }
    log = folder.logs / f"prober-{region}.log"
    with servers.running(
        f"Prober {region}",
        command,
        url="",
        ready=lambda: True,
        log=log,
        environment=environment_of_child(variables),
    ) as server:
        yield server

"""Prometheus and Alertmanager as child processes on loopback, on ports that are free."""

import ctypes
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import yaml

from controlplane.ports import Transient

LOOPBACK: Final = "127.0.0.1"
PROMETHEUS_FILE: Final = "prometheus.yml"
_PR_SET_PDEATHSIG: Final = 1


class ServerNotInstalled(Exception):
    """A program that we start is not on PATH; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running child process that answers at `url`."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def end_with_parent() -> None:
    """Called in a child before it executes: the kernel ends it when we die, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def stop(process: subprocess.Popen[bytes], patience_seconds: float = 10) -> None:
    """End a child: politely, then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    *,
    url: str,
    ready: Callable[[], bool],
    log: Path,
    output: Path | None = None,
    environment: Mapping[str, str] | None = None,
    patience_seconds: float = 30,
) -> Iterator[Server]:
    """A child process from the moment it is ready until the end of the block.

    Its standard error goes to `log`, its standard output to `output`, or to `log` too. Without `environment` it
    inherits ours. Raises `ServerNotInstalled`, or `Transient` with the end of its log when it does not become ready.
    """
    if shutil.which(command[0]) is None:
        raise ServerNotInstalled(f"{command[0]} is not installed: run `make setup`, or install it and put it on PATH")
    with log.open("wb") as errors, (output or log).open("ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out if output else errors,
            stderr=errors,
            env=environment,
            process_group=0,
            preexec_fn=end_with_parent,  # noqa: PLW1509 -- one system call, takes no lock
        )
    try:
        deadline = time.monotonic() + patience_seconds
        while process.poll() is not None or not ready():  # another program may answer at its address
            if process.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace")[-2000:]
                raise Transient(f"{name} did not start; its log ends with:\n{tail}")
            time.sleep(0.05)
        yield Server(name, url, process, log)
    finally:
        stop(process)


def answers(url: str) -> bool:
    """Whether an HTTP GET of `url` succeeds now."""
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


def prometheus_config(
    *,
    rule_globs: Sequence[str] = (),
    scrape: Sequence[dict[str, object]] = (),
    alertmanager_url: str | None = None,
    scrape_interval: str = "15s",
    evaluation_interval: str = "1m",
    out_of_order: str = "0s",
) -> str:
    """The text of `prometheus.yml`; `out_of_order` says how old a sample may be that comes late."""
    config: dict[str, object] = {
        "global": {"scrape_interval": scrape_interval, "evaluation_interval": evaluation_interval},
        "rule_files": list(rule_globs),
        "scrape_configs": list(scrape),
        "storage": {"tsdb": {"out_of_order_time_window": out_of_order}},
    }
    if alertmanager_url:
        target = alertmanager_url.removeprefix("http://")
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]}
    return yaml.safe_dump(config, sort_keys=False)


@contextmanager
def prometheus(
    folder: Path,
    *,
    rule_globs: Sequence[str] = (),
    scrape: Sequence[dict[str, object]] = (),
    alertmanager_url: str | None = None,
    scrape_interval: str = "15s",
    evaluation_interval: str = "1m",
    out_of_order: str = "0s",
    retention: str = "45d",
    block_duration: str = "2h",
    port: int | None = None,
    log: Path | None = None,
    features: Sequence[str] = (),
) -> Iterator[Server]:
    """A Prometheus with its data below `folder`.

    Remote write, exemplars and reload over HTTP are on, and further `features`. `rule_globs` are absolute; `scrape` is
    `scrape_configs`. All samples of the last `block_duration` stay in memory: give it a month for a month that is
    written at once, or it is compacted into hundreds of blocks meanwhile (65 s instead of 12 s, on a busy machine).
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    url = f"http://{LOOPBACK}:{port}"
    path = folder / PROMETHEUS_FILE
    path.write_text(
        prometheus_config(
            rule_globs=rule_globs,
            scrape=scrape,
            alertmanager_url=alertmanager_url,
            scrape_interval=scrape_interval,
            evaluation_interval=evaluation_interval,
            out_of_order=out_of_order,
        )
    )
    command = [
        "prometheus",
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--storage.tsdb.retention.time={retention}",
        f"--storage.tsdb.min-block-duration={block_duration}",
        f"--web.listen-address={LOOPBACK}:{port}",
        f"--web.external-url={url}",
        "--web.enable-lifecycle",
        "--web.enable-remote-write-receiver",
        f"--enable-feature={','.join(('exemplar-storage', *features))}",
        "--log.level=warn",
    ]
    log = log or folder / "log"
    with running("Prometheus", command, url=url, ready=lambda: answers(f"{url}/-/ready"), log=log) as server:
        yield server


@contextmanager
def alertmanager(
    folder: Path, *, config: dict[str, object], port: int | None = None, log: Path | None = None
) -> Iterator[Server]:
    """An Alertmanager with its data below `folder`, without clustering."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    url = f"http://{LOOPBACK}:{port}"
    path = folder / "alertmanager.yml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    command = [
        _alertmanager_program(),
        f"--config.file={path}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={LOOPBACK}:{port}",
        f"--web.external-url={url}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    ready_url = f"{url}/-/ready"
    log = log or folder / "log"
    with running("Alertmanager", command, url=url, ready=lambda: answers(ready_url), log=log) as server:
        yield server


def _alertmanager_program() -> str:
    """Debian calls it prometheus-alertmanager, everybody else alertmanager."""
    return next((name for name in ("alertmanager", "prometheus-alertmanager") if shutil.which(name)), "alertmanager")

"""`flyball dora collect`: changes and deployments from repositories, without webhooks and without a server."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import length_or_exit, now
from flyball.cli.declared import declared_or_exit, fail, one_or_exit
from flyball.cli.dora.opening import AsJSON, Database, opened, policy_or_exit
from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.talking import Counting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controlplane.store import SqlStore
    from exporters.repositories.collecting import Collected
    from exporters.repositories.model import Repository

_PASSED_ON: Final = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "TMPDIR")
Workspace = Annotated[Path, typer.Option("-w", "--workspace", metavar="DIR", help="The workspace.")]


def collect(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this Repository; else all.")] = "",
    workspace: Workspace = Path(),
    git: Annotated[str, typer.Option("--git", metavar="PATH|URL", help="A git repository that is not declared.")] = "",
    service: Annotated[str, typer.Option(metavar="NAME", help="Of --git: the service that it deploys.")] = "",
    branch: Annotated[str, typer.Option(metavar="NAME", help="Of --git; HEAD's unless told otherwise.")] = "",
    tags: Annotated[str, typer.Option(metavar="GLOB", help="Of --git: tags that are deployments.")] = "*",
    environment: Annotated[str, typer.Option(metavar="NAME", help="Of --git: where tags are deployed.")] = "production",
    since: Annotated[
        str,
        typer.Option(
            metavar="LENGTH", help="How far back, such as 365d.", show_default="the document's; 365d of --git"
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be told, and write nothing.")] = False,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Read changes and deployments from repositories now: the declared ones, or any that lies on this machine.

    What was read before is not told again, so that it may be repeated and interrupted at any time.

    Exit status: 0, 1 when the workspace has mistakes, 3 when a repository or the database could not be read.

    \b
    Examples:
      flyball dora collect --git ../shop --service shop && flyball dora report
      flyball dora collect --git https://git.example.com/shop.git --service shop --tags 'v*' --dry-run
      flyball dora collect shop --since 730d
    """
    found = [_undeclared(git, service, branch, tags, environment)] if git else _declared(name, workspace)
    if git and name:
        raise typer.BadParameter("say one of NAME and --git", param_hint="--git")
    if not git and (service or branch):
        raise typer.BadParameter("belongs to --git: a Repository names its services itself", param_hint="--service")
    repositories = _reaching(found, since)
    with opened(workspace, database) as store:
        collected = [_collected(each, store, workspace, dry_run=dry_run) for each in repositories]
        if not dry_run:
            _bring_up_to_date(store, workspace)
    _tell(collected, dry_run=dry_run, as_json=as_json, is_declared=not git)
    if any(each.error for each in collected):
        raise typer.Exit(ExitCode.OUTSIDE)


def _declared(name: str, workspace: Path) -> "list[Repository]":
    from exporters.repositories.declared import declared
    from exporters.repositories.kinds import KINDS

    known = declared_or_exit(workspace, declared, KINDS)
    if name:
        return [one_or_exit(known, name, "Repository")]
    if not known:
        hint = "write one (docs/how-to/collect-deliveries.md), or say --git PATH --service NAME"
        fail(f"{workspace} declares no Repository: {hint}", ExitCode.PROBLEMS)
    return list(known.values())


def _undeclared(git: str, service: str, branch: str, tags: str, environment: str) -> "Repository":
    """The same as a document would say, checked in the same way."""
    from exporters.repositories.one_off import one_off

    found, problems = one_off(
        git, folder=Path.cwd(), service=service, branch=branch, tags=tags, environment=environment
    )
    if found is None:
        fail("\n".join(f"--git: {each.field}: {each.message}" for each in problems), ExitCode.PROBLEMS)
    return found


def _reaching(repositories: "Sequence[Repository]", since: str) -> "list[Repository]":
    from dataclasses import replace

    if not since:
        return list(repositories)
    length = length_or_exit(since, "--since")
    return [replace(each, since=length) for each in repositories]


def _collected(repository: "Repository", store: "SqlStore", workspace: Path, *, dry_run: bool) -> "Collected":
    from controlplane.ports import Permanent
    from exporters.repositories.adapters.opening import open_repository
    from exporters.repositories.collecting import Collected, Collector
    from flyball.settings import secrets_of, variables_of

    settings, at = settings_or_exit(workspace), now()
    collector = Collector(store, settings.events.clock_tolerance)
    try:
        source = open_repository(
            repository,
            workspace=workspace,
            clones=settings.events.repositories,
            secret=lambda variable: secrets_of((variable,)).get(variable),
            environment=variables_of(_PASSED_ON),
            now=at,
        )
    except Permanent as error:
        return Collected(repository.name, error=str(error))
    try:
        with Counting(f"reading {repository.name}") as counting:

            def told(found: "Collected") -> None:
                counting.at(found.changes + found.deployments)

            if dry_run:
                return collector.preview(repository, source, at, on_page=told)
            return collector.collect(repository, source, at, on_page=told)
    finally:
        source.close()


def _bring_up_to_date(store: "SqlStore", workspace: Path) -> None:
    """Make facts of what was taken and measure them, as the server's jobs do; when one is at work, that one does."""
    from exporters.dora.facts.daemon import FactsDaemon
    from exporters.dora.measuring.daemon import MeasureDaemon

    policy, at = policy_or_exit(workspace), now()
    facts, measuring = FactsDaemon(store, lambda: policy), MeasureDaemon(store, lambda: policy)
    while (turn := facts.run_once(at)).batches and not turn.was_overtaken:
        pass
    while not measuring.run_once(at).is_done:
        pass


def _tell(collected: "Sequence[Collected]", *, dry_run: bool, as_json: bool, is_declared: bool) -> None:
    """The daemon goes on with declared ones only."""
    import json

    from exporters.repositories.views import collected_data, collected_text

    if as_json:
        typer.echo(json.dumps([collected_data(each) for each in collected]))
        return
    failed = [each if is_declared else replace(each, retry_at=None) for each in collected if each.error]
    text = collected_text([each for each in collected if not each.error], is_preview=dry_run)
    if text:
        typer.echo(text)
    if failed:
        sys.stdout.flush()
        typer.echo(collected_text(failed, is_preview=dry_run), err=True)

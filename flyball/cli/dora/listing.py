"""`flyball dora deployments`, `show`, `incidents`: single ones, with what became of them and why."""

from pathlib import Path
from typing import Annotated

import typer

from flyball.cli.asking import now, printed
from flyball.cli.dora.opening import (
    AsJSON,
    Database,
    Environment,
    Folder,
    Limit,
    Service,
    Since,
    check_names,
    environments_of,
    opened,
    policy_or_exit,
    stretch_or_exit,
)


def deployments(
    folder: Folder = Path(),
    since: Since = "30d",
    service: Service = "",
    environment: Environment = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    limit: Limit = 50,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """List deployments, latest first, with what became of each: whether it failed or was rework, and why.

    Times are UTC.

    Exit status: 0, 1 when the policy has mistakes or nothing is known of that service, 2 when an option is wrong, 3
    when the database failed.

    \b
    Examples:
      flyball dora deployments
      flyball dora deployments --service checkout --failed --since 90d
      flyball dora deployments --json | jq -r '.deployments[] | select(.failed) | .why'
    """
    from exporters.dora.report.single import Asked, judged_deployments
    from exporters.dora.report.single_views import deployments_data, deployments_text

    policy, at = policy_or_exit(folder), now()
    start, end = stretch_or_exit(since, "", "", policy.time_zone, at)
    asked = Asked(start, end, policy.service(service), environments_of(environment, policy), failed, limit)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        check_names(transaction.delivery, policy, service=service, environment=environment)
        found = judged_deployments(transaction.delivery, asked, policy)
    printed(deployments_data(found), deployments_text(found), as_json=as_json)


def show(
    deployment: Annotated[
        str, typer.Argument(metavar="DEPLOYMENT", help="Its id or the end of it, a version, or a revision.")
    ],
    folder: Folder = Path(),
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="Of which service, for a version.")] = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Show one deployment: its changes with their lead times, incidents held against it, effects, events behind it.

    Exit status: 0, 1 when no deployment or several have that name, 3 when the database failed.

    \b
    Examples:
      flyball dora show 4.2.1 --service checkout
      flyball dora show 4.2.1 --json | jq .changes
    """
    from exporters.dora.report.finding import deployment_named
    from exporters.dora.report.single import dossier
    from exporters.dora.report.single_views import dossier_data, dossier_text

    policy = policy_or_exit(folder)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        found = deployment_named(transaction, deployment, now(), service=policy.service(service))
        file = dossier(transaction.delivery, found, policy)
    printed(dossier_data(file), dossier_text(file), as_json=as_json)


def incidents(
    folder: Folder = Path(),
    since: Since = "30d",
    service: Service = "",
    environment: Environment = "",
    limit: Limit = 50,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """List incidents, latest first, with the deployment that each is held against and why. Times are UTC.

    Exit status: 0, 1 when the policy has mistakes or nothing is known of that service, 2 when an option is wrong, 3
    when the database failed.

    \b
    Examples:
      flyball dora incidents
      flyball dora incidents --service checkout --since 90d
      flyball dora incidents --json | jq '.incidents[] | select(.reason == "window")'
    """
    from exporters.dora.report.single import Asked, corrections_of, judged_incidents
    from exporters.dora.report.single_views import incident_data, incidents_text

    policy, at = policy_or_exit(folder), now()
    start, end = stretch_or_exit(since, "", "", policy.time_zone, at)
    asked = Asked(start, end, policy.service(service), environments_of(environment, policy), limit=limit)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        check_names(transaction.delivery, policy, service=service, environment=environment)
        found = judged_incidents(transaction.delivery, asked, policy)
        corrections = corrections_of(transaction.delivery, found)
    data = [incident_data(each, corrections.get(each.incident.id)) for each in found]
    printed({"incidents": data}, incidents_text(found), as_json=as_json)

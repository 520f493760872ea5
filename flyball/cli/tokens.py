"""`flyball tokens`: who may come into the console, and do what."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from controlplane.model.follow_up import Role
from flyball.cli import ExitCode
from flyball.cli.asking import end_or_exit, login_name, printed
from flyball.cli.declared import fail
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.model.follow_up import AccessToken

_COMMAND: Final = "tokens"
_LONGEST_NAME: Final = 63

app = typer.Typer(
    no_args_is_help=True,
    help="Tokens of the console: viewers read, responders acknowledge, resolve and note, admins may all.\n\n\b\n"
    "Examples:\n  flyball tokens add ann --role responder --expires 90d\n  flyball tokens revoke ann",
)

Folder = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The workspace.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the person or program; it stands in timelines.")],
    role: Annotated[Role, typer.Option("--role", help="What they may do.")] = Role.RESPONDER,
    expires: Annotated[str, typer.Option("--expires", metavar="LENGTH", help="Such as 90d; left out: never.")] = "",
    folder: Folder = Path(),
    as_json: AsJSON = False,
) -> None:
    """Make a token and print it, once: only its hash is kept. A name that has one gets another; the old one ends.

    It is the password in a browser (any user name), and the bearer token of programs.

    \b
    Examples:
      flyball tokens add ann --role responder --expires 90d
      flyball tokens add grafana --role viewer --json | jq -r .token
    """
    import secrets

    from controlplane.adapters.clock import SystemClock
    from controlplane.model.follow_up import AccessToken
    from flyball.web.access import TOKEN_BYTES, TOKEN_PREFIX, digest_of

    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise typer.BadParameter(f"up to {_LONGEST_NAME} printable characters", param_hint="NAME")
    now = SystemClock().now()
    secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    token = AccessToken(name, role, digest_of(secret), now, login_name(), end_or_exit(expires, "", now))
    with (
        opened_store(settings_or_exit(folder).database_url.reveal(), _COMMAND) as store,
        store.transaction() as transaction,
    ):
        transaction.access.put_token(token)
        transaction.audit.append(
            at=now, actor=login_name(), action="token.added", subject=name, detail={"role": role.value}
        )
    if as_json:
        printed({**_data(token), "token": secret}, "", as_json=True)
    else:
        typer.echo(secret)
        typer.echo(f"{name} is a {role.value}. The token is shown only now.", err=True)


@app.command("list")
def list_tokens(folder: Folder = Path(), as_json: AsJSON = False) -> None:
    """List tokens by name, without what opens the door.

    \b
    Examples:
      flyball tokens list
      flyball tokens list --json
    """
    with (
        opened_store(settings_or_exit(folder).database_url.reveal(), _COMMAND) as store,
        store.transaction(read_only=True) as transaction,
    ):
        tokens = transaction.access.tokens()
    if as_json:
        printed([_data(token) for token in tokens], "", as_json=True)
    elif not tokens:
        typer.echo("There are no tokens: flyball tokens add NAME makes one.", err=True)
    for token in () if as_json else tokens:
        end = f"until {token.expires_at:%Y-%m-%d %H:%M}" if token.expires_at else "for good"
        state = f"revoked {token.revoked_at:%Y-%m-%d %H:%M}" if token.revoked_at else end
        typer.echo(f"{token.name:<24} {token.role.value:<10} {state}")


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose token ends.")],
    folder: Folder = Path(),
    as_json: AsJSON = False,
) -> None:
    """End a token. Running control planes refuse it within seconds.

    Exit status: 0, 1 when there is none of that name, 3 when the database failed.

    \b
    Examples:
      flyball tokens revoke ann
    """
    from dataclasses import replace

    from controlplane.adapters.clock import SystemClock

    now = SystemClock().now()
    with (
        opened_store(settings_or_exit(folder).database_url.reveal(), _COMMAND) as store,
        store.transaction() as transaction,
    ):
        found = next((token for token in transaction.access.tokens() if token.name == name), None)
        if found is None:
            fail(f"flyball tokens: there is none named {name}", ExitCode.PROBLEMS)
        ended = found if found.revoked_at else replace(found, revoked_at=now)
        transaction.access.put_token(ended)
        transaction.audit.append(at=now, actor=login_name(), action="token.revoked", subject=name, detail={})
    printed(_data(ended), f"{name}'s token opens nothing any more", as_json=as_json)


def _data(token: "AccessToken") -> dict[str, str | None]:
    times = (token.created_at, token.expires_at, token.revoked_at)
    created, expires, revoked = (at.isoformat() if at else None for at in times)
    return {
        "name": token.name,
        "role": token.role.value,
        "created_at": created,
        "created_by": token.created_by,
        "expires_at": expires,
        "revoked_at": revoked,
    }

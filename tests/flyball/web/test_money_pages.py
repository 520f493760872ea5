"""The pages about money over HTTP."""

from starlette.applications import Starlette

from flyball.web.console import console_routes, exception_handlers
from flyball.web.state import ConsoleOptions
from tests.flyball.web import money_world, world


def application(state: world.State, money: money_world.Money, options: ConsoleOptions | None = None) -> Starlette:
    routes = console_routes(state, options or ConsoleOptions(), money)
    return Starlette(routes=routes, exception_handlers=dict(exception_handlers()))

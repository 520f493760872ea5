"""The web application: our endpoints, the hooks and the console, behind the guards."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flyball.web import hooks, usage_hook
from flyball.web.console import console_routes, exception_handlers
from flyball.web.declared_money import DeclaredMoney
from flyball.web.guards import Admission, Guards
from flyball.web.health import Readiness, healthz
from flyball.web.state import ConsoleOptions
from flyball.web.usage_hook import Sender, UsageHook
from flyball.wiring import Services


def create_app(services: Services) -> Starlette:
    """The application on wired services; it holds no state of its own and starts nothing."""
    settings = services.settings
    hook = hooks.AlertmanagerHook(
        services.intake,
        token=settings.webhook_token,
        clock=services.clock,
        metrics=services.own_metrics,
        tracing=services.tracing,
    )
    usage = UsageHook(
        services.store,
        services.money.terms,
        senders=[Sender(settings.usage_token)] if settings.usage_token else [],
        clock=services.clock,
        metrics=services.own_metrics,
        tracing=services.tracing,
    )
    readiness = Readiness(services.readiness_checks())

    async def metrics(request: Request) -> Response:  # in no thread: pages that wait for Prometheus may hold them all
        body, content_type = services.own_metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    options = ConsoleOptions(
        prometheus_url=settings.prometheus_url,
        alertmanager_url=settings.alertmanager_url,
        grafana_url=settings.grafana_url,
        shared_above=settings.shared_above,
        sources=services.state.sources,
    )

    money = DeclaredMoney(services.state.money, services.backend, settings.cost_directory)
    return Starlette(
        routes=[
            Route("/metrics", metrics, methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readiness.answer, methods=["GET"]),
            Route(hooks.PATH, hook.answer, methods=["POST"]),
            Route(usage_hook.PATH, usage.answer, methods=["POST"]),
            *console_routes(services.state, options, money),
        ],
        middleware=[Middleware(Guards, admission=Admission.of(settings))],
        exception_handlers=dict(exception_handlers()),
    )

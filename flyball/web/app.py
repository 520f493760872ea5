"""The web application: our endpoints, the hooks and the console, behind the guards."""

import asyncio
import secrets

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flyball.web import hooks, pagerduty_hook, report_hook, slack_hook, usage_hook
from flyball.web.access import Access
from flyball.web.anomaly_state import DeclaredAnomalies
from flyball.web.console import console_routes, exception_handlers
from flyball.web.declared_checks import DeclaredChecks
from flyball.web.declared_money import DeclaredMoney
from flyball.web.delivery_gathering import DeclaredDeliveries
from flyball.web.events_hook import EventsHook
from flyball.web.guards import Admission, Guards
from flyball.web.health import Readiness, healthz
from flyball.web.incident_gathering import DeclaredIncidents
from flyball.web.ladder_gathering import DeclaredLadders
from flyball.web.on_call_pages import reading_below
from flyball.web.pagerduty_hook import PagerDutyHook
from flyball.web.postmortem_pages import postmortem_routes
from flyball.web.probe_endpoint import ProbeAccess, ProbeEndpoint, probe_routes
from flyball.web.report_hook import ReportHook
from flyball.web.slack_hook import SlackHook
from flyball.web.state import ConsoleOptions
from flyball.web.status_files import status_routes
from flyball.web.status_hooks import StatusHooks
from flyball.web.usage_hook import Sender, UsageHook
from flyball.wiring import Services


def create_app(services: Services) -> Starlette:
    """The application on wired services; it holds no state of its own and starts nothing."""
    settings = services.settings
    hook = hooks.AlertmanagerHook(
        services.alerts.receiving,
        spool=services.alerts.spool.take,
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
    reports = ReportHook(
        services.store,
        tokens=settings.checks.prober_tokens,
        clock=services.clock,
        metrics=services.own_metrics,
        tracing=services.tracing,
        registry=services.own_metrics.registry,
    )
    status = StatusHooks(
        services.store,
        lambda: services.checks.declared().pages,
        services.checks.status.subscriptions,
        clock=services.clock,
        metrics=services.own_metrics,
        tracing=services.tracing,
    )
    pagerduty = PagerDutyHook(
        services.alerts.answering,
        secrets=settings.alerts.pagerduty_webhook_secrets,
        clock=services.clock,
        metrics=services.own_metrics,
        tracing=services.tracing,
    )
    slack = SlackHook(
        services.alerts.answering,
        secret=settings.alerts.slack_signing_secret,
        clock=services.clock,
        metrics=services.own_metrics,
        tracing=services.tracing,
    )
    events = EventsHook(
        services.store,
        services.delivery.translators,
        settings=settings.events,
        clock=services.clock,
        metrics=services.own_metrics,
        tracing=services.tracing,
    )
    readiness = Readiness(services.readiness_checks())

    async def metrics(request: Request) -> Response:  # in no thread of pages: they may all wait for Prometheus
        body, content_type = services.own_metrics.exposition(request.headers.get("accept", ""))
        body = await asyncio.to_thread(services.checks.exposition.joined, body, content_type)
        body = services.delivery.exposition.joined(body, content_type)
        body = await asyncio.to_thread(services.anomalies.exposition.joined, body, content_type)
        return Response(body, headers={"Content-Type": content_type})

    access = Access(services.store, settings.console_token, services.clock, secrets.token_bytes(32))
    options = ConsoleOptions(
        prometheus_url=settings.prometheus_url,
        alertmanager_url=settings.alertmanager_url,
        grafana_url=settings.grafana_url,
        shared_above=settings.shared_above,
        sources=services.state.sources,
    )

    checks = DeclaredChecks(services.checks.declared)
    probe = ProbeEndpoint(
        book=services.checks.book,
        place=services.checks.place,
        clock=services.clock,
        access=ProbeAccess(settings.listen.is_loopback, settings.console_token),
        registry=services.own_metrics.registry,
    )
    ladders = DeclaredLadders(lambda: services.state.money().ladders, settings.ladder.why_stopped)
    money = DeclaredMoney(services.state.money, services.backend, settings.cost_directory)
    return Starlette(
        routes=[
            Route("/metrics", metrics, methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readiness.answer, methods=["GET"]),
            Route(hooks.PATH, hook.answer, methods=["POST"]),
            Route(pagerduty_hook.PATH, pagerduty.answer, methods=["POST"]),
            Route(slack_hook.PATH, slack.answer, methods=["POST"]),
            Route(usage_hook.PATH, usage.answer, methods=["POST"]),
            Route(report_hook.PATH, reports.answer, methods=["POST"]),
            *events.routes(),
            *probe_routes(probe),
            *status.routes(),
            *status_routes(services.checks.status.local),
            *postmortem_routes(services.state, settings.external_url),
            *console_routes(
                services.state,
                options,
                money,
                checks,
                checks,
                ladders,
                DeclaredIncidents(services.alerts.declared),
                services.alerts.desk,
                reading_below(settings.folder),
                DeclaredDeliveries(services.delivery.policy),
                DeclaredAnomalies(services.anomalies.detectors, services.anomalies.explain),
            ),
        ],
        middleware=[Middleware(Guards, admission=Admission.of(settings), access=access)],
        exception_handlers=dict(exception_handlers()),
    )

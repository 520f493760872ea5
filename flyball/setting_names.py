"""Every setting by the path that it has in `flyball.yaml`: its environment variable, and its default."""

from typing import Final

STATE_FOLDER: Final = ".flyball"
DEFAULT_SHARED_ABOVE: Final = 1000
DEFAULT_LEASE_SECONDS: Final = 15
DEFAULT_EVENT_DAYS: Final = 400  # a year and a month: longer than any yearly comparison
VARIABLES: Final = {
    "prometheus.url": "FLYBALL_PROMETHEUS_URL",
    "prometheus.rulesDirectory": "FLYBALL_RULES_DIRECTORY",
    "rules.target": "FLYBALL_RULES_TARGET",
    "rules.url": "FLYBALL_RULER_URL",
    "rules.namespace": "FLYBALL_RULER_NAMESPACE",
    "rules.tenant": "FLYBALL_RULER_TENANT",
    "alertmanager.url": "FLYBALL_ALERTMANAGER_URL",
    "grafana.url": "FLYBALL_GRAFANA_URL",
    "grafana.dashboardsDirectory": "FLYBALL_DASHBOARDS_DIRECTORY",
    "console.listen": "FLYBALL_LISTEN",
    "console.externalUrl": "FLYBALL_EXTERNAL_URL",
    "store.url": "FLYBALL_DATABASE_URL",
    "store.leaseSeconds": "FLYBALL_LEASE_SECONDS",
    "store.eventDays": "FLYBALL_EVENT_DAYS",
    "cost.directory": "FLYBALL_COST_DIRECTORY",
    "slo.runbookUrl": "FLYBALL_RUNBOOK_URL",
    "slo.sharedAbove": "FLYBALL_SHARED_ABOVE",
    "tracing.endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
    # Only from the environment:
    "ruler token": "FLYBALL_RULER_TOKEN",
    "ruler credentials": "FLYBALL_RULER_CREDENTIALS",
    "webhook token": "FLYBALL_WEBHOOK_TOKEN",
    "console token": "FLYBALL_CONSOLE_TOKEN",
    "usage token": "FLYBALL_USAGE_TOKEN",
    "log format": "FLYBALL_LOG_FORMAT",
    "log level": "FLYBALL_LOG_LEVEL",
}
DEFAULT_VALUES: Final = {
    "prometheus.url": "http://127.0.0.1:9090",
    "rules.target": "prometheus",
    "rules.namespace": "flyball",
    "prometheus.rulesDirectory": f"{STATE_FOLDER}/rules",
    "alertmanager.url": "http://127.0.0.1:9093",
    "console.listen": "127.0.0.1:8321",
    "store.url": f"sqlite:///{STATE_FOLDER}/flyball.db",
    "store.leaseSeconds": str(DEFAULT_LEASE_SECONDS),
    "store.eventDays": str(DEFAULT_EVENT_DAYS),
    "cost.directory": f"{STATE_FOLDER}/cost-ledger",
    "slo.sharedAbove": str(DEFAULT_SHARED_ABOVE),
    "log level": "INFO",
}

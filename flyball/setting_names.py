"""Every setting by the path that it has in `flyball.yaml`: its environment variable, and its default."""

from typing import Final

STATE_FOLDER: Final = ".flyball"
DEFAULT_SHARED_ABOVE: Final = 1000
DEFAULT_LEASE_SECONDS: Final = 10
DEFAULT_RESULT_DAYS: Final = 2  # of single results; what they add up to by hour is kept as long as events
DEFAULT_EVENT_DAYS: Final = 400  # a year and a month: longer than any yearly comparison
VARIABLES: Final = {
    "prometheus.url": "FLYBALL_PROMETHEUS_URL",
    "prometheus.rulesDirectory": "FLYBALL_RULES_DIRECTORY",
    "rules.target": "FLYBALL_RULES_TARGET",
    "rules.url": "FLYBALL_RULER_URL",
    "rules.namespace": "FLYBALL_RULER_NAMESPACE",
    "rules.tenant": "FLYBALL_RULER_TENANT",
    "alertmanager.url": "FLYBALL_ALERTMANAGER_URL",
    "alertmanager.webhookUrl": "FLYBALL_WEBHOOK_URL",
    "alertmanager.webhookTokenFile": "FLYBALL_ALERTMANAGER_TOKEN_PATH",
    "grafana.url": "FLYBALL_GRAFANA_URL",
    "grafana.dashboardsDirectory": "FLYBALL_DASHBOARDS_DIRECTORY",
    "console.listen": "FLYBALL_LISTEN",
    "console.externalUrl": "FLYBALL_EXTERNAL_URL",
    "store.url": "FLYBALL_DATABASE_URL",
    "store.leaseSeconds": "FLYBALL_LEASE_SECONDS",
    "store.eventDays": "FLYBALL_EVENT_DAYS",
    "cost.directory": "FLYBALL_COST_DIRECTORY",
    "checks.region": "FLYBALL_REGION",
    "checks.reportTo": "FLYBALL_REPORT_TO",
    "checks.directory": "FLYBALL_CHECKS_DIRECTORY",
    "checks.resultDays": "FLYBALL_RESULT_DAYS",
    "status.directory": "FLYBALL_STATUS_DIRECTORY",
    "status.allowPrivateWebhooks": "FLYBALL_ALLOW_PRIVATE_WEBHOOKS",
    "ladder.stopFile": "FLYBALL_LADDER_STOP_PATH",
    "alerts.spoolDirectory": "FLYBALL_SPOOL_DIRECTORY",
    "alerts.commandsFile": "FLYBALL_RUNBOOK_COMMANDS",
    "alerts.allowPrivateWebhooks": "FLYBALL_ALLOW_PRIVATE_ALERT_WEBHOOKS",
    "alerts.pagerdutyUrl": "FLYBALL_PAGERDUTY_URL",
    "alerts.slackUrl": "FLYBALL_SLACK_URL",
    "alerts.mailFrom": "FLYBALL_ALERT_MAIL_FROM",
    "slo.runbookUrl": "FLYBALL_RUNBOOK_URL",
    "slo.sharedAbove": "FLYBALL_SHARED_ABOVE",
    "tracing.endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
    # Only from the environment:
    "ladder stop": "FLYBALL_LADDER_STOP",
    "ruler token": "FLYBALL_RULER_TOKEN",
    "ruler credentials": "FLYBALL_RULER_CREDENTIALS",
    "webhook token": "FLYBALL_WEBHOOK_TOKEN",
    "console token": "FLYBALL_CONSOLE_TOKEN",
    "usage token": "FLYBALL_USAGE_TOKEN",
    "prober token": "FLYBALL_PROBER_TOKEN",
    "prober tokens": "FLYBALL_PROBER_TOKENS",
    "smtp url": "FLYBALL_SMTP_URL",
    "status keys": "FLYBALL_STATUS_KEYS",
    "pagerduty webhook secrets": "FLYBALL_PAGERDUTY_WEBHOOK_SECRETS",
    "slack signing secret": "FLYBALL_SLACK_SIGNING_SECRET",
    "heartbeat url": "FLYBALL_HEARTBEAT_URL",
    "log format": "FLYBALL_LOG_FORMAT",
    "log level": "FLYBALL_LOG_LEVEL",
}
# What FlagStore documents take secrets from unless they name other variables.
FLAG_STORE_SECRETS: Final = (
    "FLYBALL_UNLEASH_TOKEN",
    "FLYBALL_UNLEASH_CLIENT_TOKEN",
    "FLYBALL_LAUNCHDARKLY_TOKEN",
    "FLYBALL_FLAG_WEBHOOK_SECRET",
)
# How variables begin that Receivers, Trackers and Runbooks may name for their secrets.
DOCUMENT_SECRETS: Final = (
    "FLYBALL_PAGERDUTY_",
    "FLYBALL_SLACK_",
    "FLYBALL_GITHUB_",
    "FLYBALL_GITLAB_",
    "FLYBALL_JIRA_",
    "FLYBALL_RECEIVER_",
    "FLYBALL_RUNBOOK_",
)
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
    "checks.region": "local",
    "checks.directory": f"{STATE_FOLDER}/checks",
    "checks.resultDays": str(DEFAULT_RESULT_DAYS),
    "status.directory": f"{STATE_FOLDER}/status",
    "status.allowPrivateWebhooks": "false",
    "ladder.stopFile": f"{STATE_FOLDER}/ladder.stop",
    "alertmanager.webhookTokenFile": "/etc/alertmanager/flyball-webhook-token",
    "alerts.spoolDirectory": f"{STATE_FOLDER}/spool",
    "alerts.allowPrivateWebhooks": "false",
    "alerts.pagerdutyUrl": "https://events.pagerduty.com",
    "alerts.slackUrl": "https://slack.com/api",
    "alerts.mailFrom": "flyball@localhost",
    "slo.sharedAbove": str(DEFAULT_SHARED_ABOVE),
    "log level": "INFO",
}

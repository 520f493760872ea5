"""Documents about deliveries to rule files."""

from controlplane.model.rule import RuleFile
from flyball.delivery.declared import DeliveryDeclared
from slo.compiler import CompileOptions


def delivery_rule_files(delivery: DeliveryDeclared, options: CompileOptions) -> tuple[RuleFile, ...]:
    """Alerts about collectors and the intake; none where nothing about deliveries is declared."""
    if delivery.is_empty:
        return ()
    from exporters.events import rules as event_rules
    from exporters.repositories import rules as repository_rules

    url = options.external_url
    return (
        *event_rules.rule_files(external_url=url),
        *repository_rules.rule_files(delivery.repositories, external_url=url),
    )

"""Usage metering: CloudEvents in, totals per tenant, periods that close, invoice lines, quotas and service credits."""

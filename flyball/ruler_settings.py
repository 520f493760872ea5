"""Where rules go when no Prometheus reads them from a folder."""

from dataclasses import dataclass

from flyball.secret import Secret


@dataclass(frozen=True, slots=True)
class RulerSettings:
    """The ruler of Mimir or Cortex: `target` is which. `token` (bearer) or `credentials` (`user:password`) if any."""

    target: str
    url: str
    namespace: str
    tenant: str = ""
    token: Secret | None = None
    credentials: Secret | None = None

    def secrets(self) -> tuple[Secret, ...]:
        """What must not show, the password apart as well."""
        whole = [secret for secret in (self.token, self.credentials) if secret]
        password = self.credentials.reveal().partition(":")[2] if self.credentials else ""
        return (*whole, Secret(password)) if password else tuple(whole)

"""Bearer tokens of the console: their digests, never they themselves."""

from sqlalchemy import Connection, RowMapping, select

from controlplane.model.follow_up import AccessToken, Role
from controlplane.store import access_tables as tables
from controlplane.store.plain_rows import plain
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import WriteOrder


class SqlAccessLog:
    """Implements `controlplane.incident_ports.AccessLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def put_token(self, token: AccessToken) -> None:
        """Keep it as it is now, by name. Raises `Permanent` for a digest that another one has."""
        self._order.take()
        upsert(self._connection, tables.tokens, [plain(token) | {"role": token.role.value}])

    def token_of(self, digest: str) -> AccessToken | None:
        """The one of that digest, revoked or not."""
        query = select(tables.tokens).where(tables.tokens.c.digest == digest)
        row = self._connection.execute(query).mappings().one_or_none()
        return _token_of(row) if row else None

    def tokens(self) -> list[AccessToken]:
        """All, by name."""
        found = self._connection.execute(select(tables.tokens).order_by(tables.tokens.c.name)).mappings()
        return [_token_of(row) for row in found]


def _token_of(row: RowMapping) -> AccessToken:
    return AccessToken(**dict(row) | {"role": Role(row["role"])})

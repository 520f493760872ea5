"""The table of access tokens. The newest migration and this file say the same; a test compares them."""

from sqlalchemy import Column, Table, UniqueConstraint

from controlplane.store.columns import Line, UTCTime
from controlplane.store.metadata import metadata

tokens = Table(
    "access_tokens",
    metadata,
    Column("name", Line, primary_key=True),
    Column("role", Line, nullable=False),  # viewer | responder | admin
    Column("digest", Line, nullable=False),
    Column("created_at", UTCTime, nullable=False),
    Column("created_by", Line, nullable=False),
    Column("expires_at", UTCTime),
    Column("revoked_at", UTCTime),
    Column("last_used_at", UTCTime),
    UniqueConstraint("digest"),
)

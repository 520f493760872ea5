"""The one database: tables, migrations, lease, outbox, event and audit log."""

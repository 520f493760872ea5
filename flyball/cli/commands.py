"""Every command, by name."""

from flyball.cli import alerts, app, apply, audit, check, init, run, schema, up

app.command("check")(check.check)
app.command("apply")(apply.apply)
app.command("init")(init.init)
app.command("schema")(schema.schema)
app.command("up")(up.up)
app.command("run")(run.run)
app.add_typer(alerts.app, name="alerts")
app.add_typer(audit.app, name="audit")

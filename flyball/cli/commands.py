"""Every command, by name."""

from flyball.cli import (
    actions,
    alerts,
    alerts_drill,
    alerts_oncall,
    alerts_replay,
    alerts_route,
    alerts_why,
    anomaly,
    app,
    apply,
    audit,
    check,
    compile_,
    cost,
    demo,
    dora,
    events,
    flags,
    golden_paths,
    incidents,
    incidents_postmortem,
    init,
    journey,
    ladder,
    plan,
    probe,
    run,
    runbooks,
    schema,
    slo,
    status,
    tickets,
    tokens,
    up,
    usage,
)

app.command("check")(check.check)
app.command("apply")(apply.apply)
app.command("compile")(compile_.compile_)
app.command("golden-paths")(golden_paths.golden_paths)
app.command("plan")(plan.plan)
app.command("init")(init.init)
app.command("schema")(schema.schema)
app.command("up")(up.up)
app.command("run")(run.run)
alerts.app.command("route")(alerts_route.route)
alerts.app.command("oncall")(alerts_oncall.oncall)
alerts.app.command("why")(alerts_why.why)
alerts.app.command("replay")(alerts_replay.replay)
alerts.app.command("drill")(alerts_drill.drill)
incidents.app.command("postmortem")(incidents_postmortem.postmortem)
app.add_typer(actions.app, name="actions")
app.add_typer(alerts.app, name="alerts")
app.add_typer(incidents.app, name="incidents")
app.add_typer(runbooks.app, name="runbooks")
app.add_typer(tickets.app, name="tickets")
app.add_typer(anomaly.app, name="anomaly")
app.add_typer(audit.app, name="audit")
app.add_typer(cost.app, name="cost")
app.add_typer(demo.app, name="demo")
app.add_typer(dora.app, name="dora")
app.add_typer(events.app, name="event")
app.add_typer(flags.app, name="flags")
app.add_typer(journey.app, name="journey")
app.add_typer(ladder.app, name="ladder")
app.add_typer(probe.app, name="probe")
app.add_typer(slo.app, name="slo")
app.add_typer(status.app, name="status")
app.add_typer(tokens.app, name="tokens")
app.add_typer(usage.app, name="usage")

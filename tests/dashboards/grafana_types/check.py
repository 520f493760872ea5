"""Compiles dashboards with `tsc --strict` against Grafana's own types."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
TSC = HERE / "node_modules" / "typescript" / "lib" / "tsc.js"
OPTIONS = ["--strict", "--noEmit", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext"]


def type_errors(dashboards: Mapping[str, str], folder: Path) -> str:
    """What the compiler says of these dashboards (name → JSON); empty when they are sound."""
    assert TSC.exists(), "Grafana's types are not installed: run `make setup-test`"
    node = shutil.which("node") or shutil.which("nodejs")
    assert node, "node is not installed: run `make setup-test`"
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    (folder / "package.json").write_text("{}")
    shutil.copy(HERE / "dashboard.ts", folder)
    for index, (name, text) in enumerate(dashboards.items()):
        json.loads(text)  # a JSON text is a TypeScript expression, but not the other way round
        (folder / f"d{index}.ts").write_text(
            'import type { DashboardJson, PlainDashboard } from "./dashboard.js";\n'
            f"// {json.dumps(name)}\nexport const strict: DashboardJson = {text};\n"
            f"export const plain: PlainDashboard = strict;\n"
        )
    sources = [f"d{index}.ts" for index in range(len(dashboards))]
    done = subprocess.run([node, TSC, *OPTIONS, *sources], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout or done.returncode == 0, done.stderr
    return done.stdout

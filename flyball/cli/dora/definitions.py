"""`flyball dora definitions`: how each number is made."""

from pathlib import Path

from flyball.cli.asking import printed
from flyball.cli.dora.opening import AsJSON, Folder, policy_or_exit


def definitions(folder: Folder = Path(), as_json: AsJSON = False) -> None:
    """Print how each number is made, with the lengths of time of the workspace's DeliveryPolicy.

    Exit status: 0, 1 when the policy has mistakes.

    \b
    Examples:
      flyball dora definitions
      flyball dora definitions --json | jq -r '.definitions["Change lead time"]'
    """
    from textwrap import wrap

    from exporters.dora.report.definitions import SOURCE, definitions_data, definitions_of

    policy = policy_or_exit(folder)
    lines: list[str] = []
    for name, text in definitions_of(policy).items():
        lines += [name, *wrap(text, 78, initial_indent="  ", subsequent_indent="  "), ""]
    printed(definitions_data(policy), "\n".join([*lines, f"After {SOURCE}"]), as_json=as_json)

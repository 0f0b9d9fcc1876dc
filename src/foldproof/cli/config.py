"""`foldproof config [NAME]`: print the settings with every default filled in."""

import io
from typing import Any

import click

from foldproof.cli import complete
from foldproof.cli.here import project_here
from foldproof.cli.out import echo, echo_json
from foldproof.errors import UnknownName, nearest


@click.command("config", epilog="Example: foldproof config Run_High_LR --set train.epochs=10")
@click.argument("name", required=False, shell_complete=complete.experiments)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Show it with this setting changed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def command(name: str | None, overrides: tuple[str, ...], *, as_json: bool) -> None:
    """Print the settings, resolved: all of them, or those of the experiment NAME."""
    from foldproof.config.read import resolved

    content = resolved(project_here(overrides)[1])
    if name is not None:
        content = _chosen(content["experiments"], name)
    if as_json:
        echo_json(content, indent=2)
    else:
        echo(_yaml(content))


def _chosen(experiments: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in experiments:
        hint = nearest(name, experiments)
        raise UnknownName(
            f"no experiment '{name}'{'; ' + hint if hint else ''}",
            next_step=f"the settings have: {', '.join(experiments)}",
        )
    chosen: dict[str, Any] = experiments[name]
    return chosen


def _yaml(content: dict[str, Any]) -> str:

    from ruamel.yaml import YAML

    text = io.StringIO()
    YAML().dump(content, text)
    return text.getvalue().rstrip("\n")

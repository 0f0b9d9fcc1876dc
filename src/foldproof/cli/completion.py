"""`foldproof completion`."""

import click

from foldproof.cli.out import echo

_WHERE = {
    "bash": 'put this line into ~/.bashrc: eval "$(foldproof completion bash)"',
    "zsh": 'put this line into ~/.zshrc, after compinit: eval "$(foldproof completion zsh)"',
    "fish": "type once: foldproof completion fish > ~/.config/fish/completions/foldproof.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_WHERE)))
def command(shell: str) -> int:
    """Print a script by which the Tab key completes commands, options, experiments and runs.

    \b
    eval "$(foldproof completion bash)"
    foldproof completion fish > ~/.config/fish/completions/foldproof.fish
    """
    from click.shell_completion import get_completion_class

    from foldproof.cli.main import foldproof

    kind = get_completion_class(shell)
    assert kind is not None
    echo(kind(foldproof, {}, "foldproof", "_FOLDPROOF_COMPLETE").source().rstrip())
    echo(f"# {_WHERE[shell]}")
    return 0

"""Suggest the nearest command when a name is mistyped."""

import click

from foldproof.errors import FoldproofError, nearest


class Group(click.Group):
    """Says which command was probably meant. Raises FoldproofError for one that there is not."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            hint = nearest(args[0], known)
            raise FoldproofError(
                f"no command '{args[0]}'{'; ' + hint if hint else ''}", next_step=f"see `{ctx.command_path} --help`"
            )
        return super().resolve_command(ctx, args)

"""An option that takes several values in a row, as a shell's wildcard gives them."""

from collections.abc import Collection, Sequence
from typing import final

import click

SEVERAL = "--style"
"""The option."""


@final
class SeveralStyles(click.Command):
    """A command whose `--style` takes several values once its first argument is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line as if each value had the option before it."""
        options = [option for option in self.params if isinstance(option, click.Option)]
        with_value = {name for option in options if not option.is_flag for name in option.opts}
        return super().parse_args(ctx, repeat_option(args, option=SEVERAL, with_value=with_value))


def repeat_option(words: Sequence[str], *, option: str, with_value: Collection[str]) -> list[str]:
    """Return a command line with an option put before each of its further values.

    What follows the option's first value is one of its values too, up to the next option; but the first word of the
    command line that belongs to no option is the command's argument.

    Args:
        words: Of the command line.
        option: That takes several values.
        with_value: All options that take a value.
    """
    repeated: list[str] = []
    has_argument, in_option, is_value = False, False, False
    for place, word in enumerate(words):
        if is_value:
            is_value = False
        elif word == "--":
            return [*repeated, *words[place:]]
        elif word.startswith("-") and word != "-":
            in_option = word == option or word.startswith(f"{option}=")
            is_value = word in with_value
        elif in_option and has_argument:
            repeated.append(option)
        else:
            has_argument, in_option = True, False
        repeated.append(word)
    return repeated

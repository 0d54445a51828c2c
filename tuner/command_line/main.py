"""The command `styletuner`: its groups, and how it ends."""

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Final, final

import click

from tuner.error_messages import explain
from tuner.installation.environment import set_defaults


@final
class LazyGroup(click.Group):
    """A group that imports a command when it is called: `--help` must not wait for a network library."""

    def __init__(self, *, lazy: Mapping[str, tuple[str, str]], **options: object) -> None:
        """Name the commands.

        Args:
            lazy: "module:attribute" and one line of help by command name.
            options: Passed on to click.
        """
        super().__init__(**options)  # type: ignore[arg-type]
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order of their declaration."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in self._lazy:
            return None
        module, attribute = self._lazy[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self._lazy.items()])


COMMANDS: Final = {
    "study": ("tuner.command_line.study.commands:study", "Run, list, show, export and delete studies."),
    "dashboard": ("tuner.command_line.dashboard:dashboard", "Open optuna-dashboard on a storage, with pictures."),
    "scout": ("tuner.command_line.scout:scout", "Train one network for all weights, and see what it foretells."),
    "train": ("tuner.command_line.train:train", "Train a finished network from an exported config."),
    "stylize": ("tuner.command_line.stylize:stylize", "Restyle photos with a finished network."),
    "score": ("tuner.command_line.score:score", "Score pictures for perceptual quality."),
    "weights": (
        "tuner.command_line.weights:weights",
        "Fetch and list the pretrained files; convert other trainers' loss weights.",
    ),
    "doctor": ("tuner.command_line.doctor:doctor", "Check this installation and say what is wrong."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: styletuner study run quick --style starry_night.jpg --photos photos/",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="styletuner")
def styletuner(debug: bool) -> None:
    """Find the content, style and total-variation weights of a style network.

    Short training runs with sampled weights, a perceptual-quality score of what they paint, early pruning, every trial
    kept with its pictures, the best weights exported for full training.
    """
    del debug  # read from the command line by `main`, which must know it before click parses anything


def main() -> None:
    """Run the command line and exit: 0 for success, 1 for an interrupt or a fault of ours, 2 for bad input."""
    # Before any command loads a network library: what one trains with other kernels is another network.
    set_defaults()
    try:
        sys.exit(styletuner(prog_name="styletuner", standalone_mode=False) or 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort) as error:
        # Click makes an Abort of an interrupt, which may say how to go on.
        advice = str(error.__cause__ or error) or "Run the same command again to go on."
        _fail(f"Interrupted. {advice}", status=1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if "--debug" in sys.argv[1:]:
            raise
        _fail(*explain(error))


def _fail(message: str, status: int) -> None:
    click.echo(f"{'Error: ' if status != 1 or not message.startswith('Interrupted') else ''}{message}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()

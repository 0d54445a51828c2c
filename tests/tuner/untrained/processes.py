"""Starts the command line on studies that train nothing."""

from pathlib import Path
from typing import Final

from tests.tuner.tiny_study import CommandProcess

ROOT: Final = Path(__file__).parents[3]
PROGRAM: Final = ("-m", "tests.tuner.untrained.command")


def start(*arguments: object, cwd: Path) -> CommandProcess:
    return CommandProcess(*arguments, cwd=cwd, environment={"PYTHONPATH": str(ROOT)}, program=PROGRAM)

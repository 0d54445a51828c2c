"""The command `styletuner`, also as `python -m styletuner`."""

import sys

from styletuner._own_packages import claim_names


def main() -> None:
    """Run the command line and exit; see `tuner.command_line.main`."""
    try:
        claim_names()
    except ImportError as error:
        sys.exit(f"Error: {error}")
    from tuner.command_line.main import main as run  # noqa: PLC0415  only now are the names ours

    run()


if __name__ == "__main__":
    main()

"""Entry point of a worker process (`python -P -m styletuner._worker_process`), whatever else bears our names."""

from styletuner._own_packages import claim_names


def main() -> None:
    """Run a worker and exit."""
    claim_names()
    from tuner.running.workers.worker_process import main as run  # noqa: PLC0415  only now are the names ours

    run()


if __name__ == "__main__":
    main()

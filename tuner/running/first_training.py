"""Training what a study's trials start from: by one process of a machine at a time, and only while it is needed."""

from collections.abc import Callable
from typing import final

from groundwork.file_locks import held_alone
from tuner.checkpointed.network_files import NetworkFiles
from tuner.running.observer import StudyObserver


@final
class SettledElsewhereError(Exception):
    """Ends the training of something that the study has got meanwhile."""


def train_in_turn(
    files: NetworkFiles,
    train: Callable[[Callable[[str], None]], None],
    *,
    is_settled: Callable[[], bool],
    observer: StudyObserver,
) -> None:
    """Train what trials start from, going on from its checkpoint if it was interrupted; what is trained is taken.

    Processes of one machine wait for each other; of several machines that begin at once each trains it until the first
    has ended.

    Args:
        files: Where it goes.
        train: Trains it, and tells what it is given in a few words what is being done.
        is_settled: Whether the study has got it meanwhile.
        observer: Told what is done.

    Raises:
        SettledElsewhereError: The study has got it meanwhile.
        StudyError: The study was deleted.
        KeyboardInterrupt: After a checkpoint has been written, if training had begun.
    """

    def require_unsettled() -> None:
        if is_settled():
            raise SettledElsewhereError

    def report(text: str) -> None:
        require_unsettled()
        observer.say(text)

    def on_wait() -> None:
        report("waiting for another process of this machine, which trains what the trials start from")

    files.network.parent.mkdir(parents=True, exist_ok=True)
    with held_alone(files.network.with_suffix(".lock"), on_wait=on_wait):
        require_unsettled()
        train(report)

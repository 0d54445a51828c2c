"""Ctrl-C and requests to end, held back to where a trial can be left."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final, Self, final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@final
class UndisturbedWork:
    """A context in which signals do nothing but leave a note: for what takes little time and must come to its end.

    Outside the main thread they do what they did before.
    """

    def __init__(self) -> None:
        """Begin without a note."""
        self._noted = False
        self._handlers: dict[int, Any] = {}

    @property
    def has_come(self) -> bool:
        """Whether a signal has come."""
        return self._noted

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            # Not SIG_IGN, of which Python complains when a signal is on its way already.
            self._handlers = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        self._noted = True


@final
class HeldInterrupts:
    """A context in which the first signal only leaves a note, that `check` turns into a KeyboardInterrupt.

    Raised just anywhere it is lost where native code or a finaliser runs, and leaves Optuna's heartbeat behind, which
    then keeps the process alive. A second signal is raised at once. One within another takes up its note, and leaves it
    its own where nobody has asked. Outside the main thread nothing is held back, and what the process ignores it goes
    on ignoring.
    """

    def __init__(self) -> None:
        """Begin without a note."""
        self._noted = False
        self._is_urgent = False
        self._handlers: dict[int, Any] = {}

    @property
    def has_come(self) -> bool:
        """Whether a signal has come."""
        return self._noted

    @property
    def is_urgent(self) -> bool:
        """Whether a second one has."""
        return self._is_urgent

    def check(self) -> None:
        """Say that here is a good place to stop.

        Raises:
            KeyboardInterrupt: A signal has come.
        """
        if self._noted:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            held = [number for number in SIGNALS if signal.getsignal(number) not in {signal.SIG_IGN, None}]
            self._handlers = {number: signal.signal(number, self._note) for number in held}
            self._noted = any(outer._noted for outer in self._around())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._noted and not isinstance(error, KeyboardInterrupt):
            for outer in self._around():
                outer._noted = True

    def _around(self) -> list["HeldInterrupts"]:
        """The context that this one is within, if any, for each signal."""
        owners = [getattr(handler, "__self__", None) for handler in self._handlers.values()]
        return [owner for owner in owners if isinstance(owner, HeldInterrupts)]

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        if self._noted:
            self._is_urgent = True
            raise KeyboardInterrupt
        self._noted = True

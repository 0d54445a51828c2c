"""Signals held back to a good place to stop."""

import signal
import threading
from collections.abc import Iterator

import pytest

from groundwork.interrupts import HeldInterrupts


@pytest.fixture(autouse=True)
def _keep_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_waits_for_a_check(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with HeldInterrupts() as interrupts:
        interrupts.check()
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
    assert signal.getsignal(number) == before


def test_second_signal_is_raised_at_once() -> None:
    with HeldInterrupts():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_one_within_another_leaves_it_what_nobody_has_asked_for() -> None:
    def diverge() -> None:
        with HeldInterrupts():
            signal.raise_signal(signal.SIGTERM)
            raise ValueError("diverged")

    with HeldInterrupts() as outer:
        with pytest.raises(ValueError, match="diverged"):
            diverge()
        with pytest.raises(KeyboardInterrupt):
            outer.check()


def test_one_within_another_takes_up_its_note() -> None:
    with HeldInterrupts():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), HeldInterrupts() as inner:
            inner.check()
        with pytest.raises(KeyboardInterrupt), HeldInterrupts():
            signal.raise_signal(signal.SIGINT)


def test_what_was_raised_within_is_not_noted_again() -> None:
    def ask() -> None:
        with HeldInterrupts() as inner:
            signal.raise_signal(signal.SIGINT)
            inner.check()

    with HeldInterrupts() as outer:
        with pytest.raises(KeyboardInterrupt):
            ask()
        outer.check()


def test_ignored_signal_stays_ignored() -> None:
    """As in the background of a shell script."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with HeldInterrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        interrupts.check()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_another_thread_holds_nothing_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def run() -> None:
        with HeldInterrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]

"""Ends a command at a chosen moment, as Ctrl-C or a kill would."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import optuna

from objectives.training.trainer import StyleTrainer


@contextmanager
def interrupted_training(*, part: int) -> Iterator[None]:
    """Interrupt training when it comes to a part of its batches, counted from 0."""
    train, calls = StyleTrainer.train, iter(range(100))

    def interrupted(trainer: StyleTrainer, *arguments: Any, **options: Any) -> object:
        if next(calls) == part:
            raise KeyboardInterrupt
        return train(trainer, *arguments, **options)

    with patch.object(StyleTrainer, "train", interrupted):
        yield


@contextmanager
def killed_before(attribute: str) -> Iterator[None]:
    """End the command just before it writes an attribute of a study."""
    set_user_attr = optuna.Study.set_user_attr

    def killed(study: optuna.Study, key: str, value: Any) -> None:
        if key == attribute:
            raise KeyboardInterrupt
        set_user_attr(study, key, value)

    with patch.object(optuna.Study, "set_user_attr", killed):
        yield

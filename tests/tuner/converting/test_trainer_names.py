import pytest

from measures.errors import TrainerError
from measures.published_trainers import TRAINERS
from tuner.converting.trainer_names import find_trainer


def test_known_names() -> None:
    assert [find_trainer(name).name for name in TRAINERS] == list(TRAINERS)


def test_a_name_with_a_typo() -> None:
    with pytest.raises(TrainerError, match=r"no trainer 'pytorch-exmples'. Did you mean 'pytorch-examples'"):
        find_trainer("pytorch-exmples")


def test_another_name() -> None:
    with pytest.raises(TrainerError, match=r"no trainer 'x'. Trainers: lengstrom, jcjohnson"):
        find_trainer("x")

"""The table of trainers: the weights that people type, and what a row promises."""

import subprocess
import sys

import pytest

from measures.errors import TrainerError
from measures.loss_weights import TERMS
from measures.native_weights import NativeWeights
from measures.published_trainers import TRAINERS, PublishedTrainer, check_weights, trainer_terms

EVERY = pytest.mark.parametrize("trainer", TRAINERS.values(), ids=TRAINERS)


def test_published_weights() -> None:
    published = {name: tuple(trainer.published.to_dict().values()) for name, trainer in TRAINERS.items()}
    assert published == {
        "lengstrom": (7.5, 100.0, 200.0),
        "jcjohnson": (1.0, 5.0, 1e-6),
        "pytorch-examples": (1e5, 1e10, 0.0),
        "gordicaleksa": (1.0, 4e5, 0.0),
        "magenta": (1.0, 5e-4, 1e4),
    }


@EVERY
def test_a_row_says_where_its_facts_come_from(trainer: PublishedTrainer) -> None:
    assert trainer.sources
    assert all(" at " in source for source in trainer.sources.values())


@EVERY
def test_options_are_of_the_terms_it_has(trainer: PublishedTrainer) -> None:
    assert trainer_terms(trainer) == (TERMS if trainer.has_variation else TERMS[:2])
    for option in trainer.weight_options.values():
        assert "0.5" in option.format(weight="0.5")
    command = trainer.command.format(style="paintings/art.jpg", style_name="art.jpg")
    assert ("art.jpg" in command) is (trainer.name != "magenta"), "its styles are a data set"
    check_weights(trainer, trainer.published)


def test_a_weight_for_a_term_that_a_trainer_has_not() -> None:
    with pytest.raises(TrainerError, match=r"pytorch-examples has no total-variation loss. Received a weight of 200"):
        check_weights(TRAINERS["pytorch-examples"], NativeWeights(content=1.0, style=1.0, total_variation=200.0))


def test_only_torchvisions_network_and_vgg19_are_taken_for_their_own() -> None:
    assert {name for name, trainer in TRAINERS.items() if trainer.stand_in} == {"jcjohnson", "magenta"}


def test_the_table_loads_no_library_but_numpy() -> None:
    code = "import sys, measures.published_trainers; print(*{'keras', 'tensorflow', 'torch'} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not finished.stdout.strip()

"""Published trainers by the names that users type."""

from groundwork.similar_names import did_you_mean
from measures.errors import TrainerError
from measures.published_trainers import TRAINERS, PublishedTrainer


def find_trainer(name: str) -> PublishedTrainer:
    """Return a trainer by its name here.

    Raises:
        TrainerError: There is none of that name; says which there are.
    """
    if name in TRAINERS:
        return TRAINERS[name]
    similar = did_you_mean(name, TRAINERS, none="", listed=False)
    raise TrainerError(f"There is no trainer {name!r}. {similar}".rstrip() + f" Trainers: {', '.join(TRAINERS)}.")

"""Putting chosen weights into a study's queue."""

from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from measures.loss_weights import LossWeights
from studies.records.rescored_studies import require_rescored
from studies.records.widened_studies import require_widened
from studies.storage.study_storage import StudyStorage, storage_errors
from tuner.search.space import parameters_of
from tuner.search.stored_config import stored_config


def enqueue_weights(
    storage: StudyStorage, name: str, weights: tuple[float, float, float]
) -> tuple[dict[str, float], int]:
    """Have the study's next trial use these weights, and the configuration's own of what is searched besides.

    Args:
        storage: Opened for writing.
        name: An existing study.
        weights: Content, style and total variation; only their ratios matter.

    Returns:
        The weights normalised to sum 1, and how many trials wait.

    Raises:
        StudyError: There is no such study, another version of styletuner made it, or it waits for trials of another.
        WeightsError: A weight is negative, not finite, or the content weight is 0.
        ConfigError: A ratio lies outside the study's search range.
    """
    study = storage.load_study(name, sampler=RandomSampler())
    config = stored_config(study)
    require_rescored(study)
    require_widened(study)
    content, style, variation = weights
    chosen = LossWeights.normalised(content=content, style=style, total_variation=variation)
    with storage_errors(storage.url):
        study.enqueue_trial(parameters_of(chosen, config))
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return chosen.to_dict(), len(waiting)

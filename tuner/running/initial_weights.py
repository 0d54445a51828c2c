"""What the networks of a study's trials begin as."""

import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from tuner.running.study_run import StudyRun
from tuner.search.trial import InitialWeights


def initial_weights(run: StudyRun) -> InitialWeights | None:
    """Return what gives the weights that a trial starts from; None where that is noise.

    Raises:
        StudyError: What the study's trials start from is gone.
        ScoutError: Its scout is of another version.
    """
    start = run.config.search.start
    # Late: they load the network library, which trials that start from noise may do without.
    if start == "starter":
        from tuner.starting.kept_starter import load_kept_starter

        shared = load_kept_starter(run.storage, run.uuid)
        return lambda _: shared
    return _scouted_weights(run) if start == "scout" else None


def _scouted_weights(run: StudyRun) -> InitialWeights:
    from tuner.scouting.kept_scout import load_kept_scout

    scout = load_kept_scout(run.storage, run.uuid)

    def weights_of(sampled: SampledValues) -> list[NDArray[np.float32]]:
        (network,) = scout.fold([sampled])
        weights: list[NDArray[np.float32]] = network.get_weights()
        return weights

    return weights_of

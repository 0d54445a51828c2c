"""Adam that also keeps an average of the weights: less noisy than the last ones, whichever step a run ends at."""

from collections.abc import Sequence
from typing import Any, Final, final

import keras
import numpy as np
from keras import ops

AVERAGE_DECAY: Final = 12
"""Higher, and the average forgets sooner: at step t the last t / (AVERAGE_DECAY + 1) steps count most. 4 and 12 were
tried and did about equally well (docs/decisions/0005-averaged-weights.md)."""


@final
class AveragingAdam(keras.optimizers.Adam):
    """Adam with a polynomial-decay average of the weights (Shamir & Zhang, ICML 2013).

    After step t the average moves towards the weights by (g + 1) / (t + g), g = `AVERAGE_DECAY`: its window grows with
    the run, so that a run of a hundred steps and one of ten thousand both forget how they began. Keras' own `use_ema`
    has one window for all. The steps themselves are Adam's.
    """

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make one average for each trainable variable, equal to it before the first step."""
        if self.built:
            return
        super().build(variables)
        self.averages = [self.add_variable_from_reference(variable, name="average") for variable in variables]
        for average, variable in zip(self.averages, variables, strict=True):
            average.assign(np.array(ops.convert_to_numpy(variable)))  # a copy: JAX would share one buffer

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """Take Adam's step, then move the averages."""
        super().apply(grads, trainable_variables)
        steps = ops.cast(self.iterations, "float32")
        share = (AVERAGE_DECAY + 1.0) / (steps + AVERAGE_DECAY)
        for average, variable in zip(self.averages, self._trainable_variables, strict=True):
            average.assign(average + ops.cast(share, average.dtype) * (variable - average))

"""Training of style networks: one compiled step that serves every trial of a study."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from measures.loss_weights import TERM_LABELS, TERMS, LossWeights
from measures.sampled_values import SampledValues
from models.networks.conditioned_style_network import PHOTO
from models.networks.content_features import FEATURE_UNIT
from models.networks.loss_network import LossNetwork
from objectives.errors import DivergedError, TrainingError
from objectives.training.averaging_optimizer import AveragingAdam
from objectives.training.losses import PIXELS, LossInputs, LossTerm, loss_terms
from objectives.training.references import LossReferences

Tensor = Any
LOSS_WEIGHTS: Final = "loss_weights"
"""Name of each image's own loss weights among the targets of a batch."""

Inputs = NDArray[np.float32] | Mapping[str, NDArray[np.float32]]
"""Photos (batch, size, size, 3); for a conditioned style network its inputs by name."""

Batch = tuple[Inputs, Mapping[str, NDArray[np.float16] | NDArray[np.float32]]]
"""Inputs of the style network, and what the losses compare with: the photos' content features by layer, in
`FEATURE_UNIT`s as they are cached (without them the step computes them from the photos), and at `LOSS_WEIGHTS` maybe
each image's own content, style and total-variation weight, (batch, 3), which go over those of the run."""

TrainingLosses = dict[str, float]
"""Mean losses of some batches by term, unweighted and relative to their references; lower is better, 0 a perfect
match."""


@final
class StyleTrainer:
    """A style network, its optimiser and the loss network, compiled once.

    Loss weights, style targets and references are variables of the compiled step, so that a new trial changes numbers
    and never the graph: `start` sets them, and puts network and optimiser back to where they began, in place. Nothing
    can be trained before the first `start`.
    """

    def __init__(
        self,
        network: keras.Model,
        loss_network: LossNetwork,
        *,
        content_layers: Sequence[str],
        style_layers: Sequence[str],
        learning_rate: float = 1e-3,
        precision: str = "float32",
    ) -> None:
        """Build the training step.

        Args:
            network: The style network to train; its present weights are the initial weights of every run.
            loss_network: Frozen; gives the features of the layers.
            content_layers: Layers of the content loss.
            style_layers: Layers of the style loss.
            learning_rate: Adam's step of runs that sample none; the paper's 1e-3 (Johnson et al. 2016, section 4.1).
            precision: Keras dtype policy that the network was built with; with "mixed_float16" the loss is scaled.
        """
        self.network = network
        terms = loss_terms(content_layers=content_layers, style_layers=style_layers)
        self._model = _ObjectiveModel(network, loss_network, terms=terms, precision=precision)
        self._optimizer = AveragingAdam(learning_rate)
        # "auto" leaves XLA off on a CPU under TensorFlow, where it does not pay: 20 to 30 s for a step no faster.
        self._model.compile(optimizer=self._optimizer, jit_compile="auto")
        self._model.optimizer.build(network.trainable_variables)
        self._variables = [*network.variables, *self._model.optimizer.variables]
        self._initial = _values(self._variables)

    @property
    def num_traces(self) -> int:
        """How often Python has gone through the training step.

        TensorFlow and JAX trace it once, however many trials run; torch, which compiles nothing, goes through it for
        every batch.
        """
        return self._model.num_traces

    def start(
        self,
        sampled: SampledValues | None,
        *,
        style_targets: Mapping[str, NDArray[np.float32]],
        references: LossReferences,
        weights: Sequence[NDArray[np.float32]] | None = None,
    ) -> None:
        """Begin a run: initial network, fresh optimiser (step counter included), new objective.

        Args:
            sampled: What the trial is run with; None where each image brings its own loss weights.
            style_targets: Gram matrix of the style image by style layer, each (channels, channels).
            references: Scale of each loss.
            weights: Of the network, to begin with, as its `get_weights` gives them; its initial ones by default.

        Raises:
            TrainingError: Targets or references are of other layers than the step was compiled for.
        """
        loss_weights = None if sampled is None else sampled.loss_weights()
        self._model.set_objective(loss_weights, style_targets, references)
        _assign(self._variables, self._initial)
        if sampled is not None and sampled.learning_rate is not None:
            self._optimizer.learning_rate = sampled.learning_rate
        if weights is not None:
            self.network.set_weights(weights)
            _assign(self._optimizer.averages, _values(self.network.trainable_variables))

    @contextmanager
    def averaged(self) -> Iterator[keras.Model]:
        """Give the network with the average of its weights over the last steps, for as long as the block lasts.

        What is painted and kept is painted with these: between seeds they spread less than the weights as trained
        (docs/noise.md). Moving statistics of a batch norm stay as trained.
        """
        trained = self.network.trainable_variables
        kept, averages = _values(trained), _values(self._optimizer.averages)
        _assign(trained, averages)
        try:
            yield self.network
        finally:
            _assign(trained, kept)

    def state(self) -> list[NDArray[np.float32]]:
        """Return every number that a run changes, in a fixed order: what a checkpoint keeps."""
        return _values(self._variables)

    def restore(self, state: list[NDArray[np.float32]]) -> None:
        """Put back what `state` gave."""
        _assign(self._variables, state)

    def train(self, batches: Iterable[Batch], *, on_batch: Callable[[int], None] | None = None) -> TrainingLosses:
        """Take one optimiser step per batch.

        Args:
            batches: Of one shape throughout a study; another shape costs another compilation.
            on_batch: Called after each step with the number of images in it.

        Returns:
            Mean losses over these batches; not a number where there are none.

        Raises:
            DivergedError: A loss is not finite; the network is of no use until the next `start`.
        """
        totals = dict.fromkeys(TERMS, 0.0)
        num_batches = num_images = 0
        for inputs, targets in batches:
            logs = self._model.train_on_batch(inputs, dict(targets), return_dict=True)
            if not math.isfinite(logs["loss"]):
                raise DivergedError(_diverged_message(logs), images=num_images)
            totals = {term: total + logs[term] for term, total in totals.items()}
            num_batches += 1
            num_images += len(_photos_of(inputs))
            if on_batch is not None:
                on_batch(len(_photos_of(inputs)))
        return {term: total / num_batches if num_batches else math.nan for term, total in totals.items()}


def _photos_of(inputs: Any) -> Any:
    return inputs[PHOTO] if isinstance(inputs, Mapping) else inputs


def _values(variables: Iterable[keras.Variable]) -> list[NDArray[np.float32]]:
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: Iterable[keras.Variable], values: Iterable[NDArray[np.float32]]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _diverged_message(logs: Mapping[str, float]) -> str:
    broken = [label for term, label in TERM_LABELS.items() if not math.isfinite(logs[term])] or ["weighted"]
    return f"diverged: the {' and '.join(broken)} loss is not finite"


class _ObjectiveModel(keras.Model):
    """Style network and loss network as one Keras model, for the backend's own compiled training step."""

    def __init__(
        self, network: keras.Model, loss_network: LossNetwork, *, terms: Sequence[LossTerm], precision: str
    ) -> None:
        super().__init__(name="objective", dtype=precision)
        self.num_traces = 0
        self.network = network
        self.loss_features = loss_network.model
        self.terms = terms
        self.references = {
            term.name: {layer: self._number(f"{term.name}_reference_{layer}") for layer in term.layers}
            for term in terms
        }
        channels = {layer: features.shape[-1] for layer, features in loss_network.model.output.items()}
        self.style_grams = {
            layer: self._number(f"style_gram_{layer}", (channels[layer], channels[layer]))
            for layer in self.references["style"]
        }
        self.loss_weights = self._number("loss_weights", (len(terms),))
        self.means = [keras.metrics.Mean(name=term.name) for term in terms]
        self.built = True

    def _number(self, name: str, shape: tuple[int, ...] = ()) -> Any:
        """A variable that `set_objective` sets and nothing trains; not a number until then."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=keras.initializers.Constant(math.nan),
            trainable=False,
            dtype="float32",
            autocast=False,
        )

    def set_objective(
        self, weights: LossWeights | None, style_grams: Mapping[str, NDArray[np.float32]], references: LossReferences
    ) -> None:
        """Have the step minimise another objective of the same layers; nothing changes where it is refused."""
        scales = references.by_term()
        numbers: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [
            ("style targets", self.style_grams, style_grams),
            *((f"{TERM_LABELS[term]} references", self.references[term], scales[term]) for term in self.references),
        ]
        for name, variables, values in numbers:
            if set(variables) != set(values):
                raise TrainingError(
                    f"The {name} must be of the layers that the step was compiled for, {', '.join(variables)}. "
                    f"Received {', '.join(values) or 'none'}. Build another trainer for other layers."
                )
        for _, variables, values in numbers:
            for layer, variable in variables.items():
                variable.assign(values[layer])
        self.loss_weights.assign(np.full(len(self.terms), math.nan) if weights is None else weights.as_vector())

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        return self.network(inputs, training=training)

    def compute_loss(
        self,
        x: Tensor = None,
        y: Mapping[str, Tensor] | None = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,  # noqa: ARG002  Keras' signature
        training: bool = True,  # noqa: ARG002
    ) -> Tensor:
        self.num_traces += 1
        targets = y or {}
        outputs = ops.cast(y_pred, "float32")
        inputs = LossInputs(
            outputs={PIXELS: outputs, **self.loss_features(outputs)},
            photos=self._photo_features(_photos_of(x), targets),
            style_grams=self.style_grams,
        )
        losses = [term.per_image(inputs, self.references[term.name]) for term in self.terms]
        for mean, loss in zip(self.means, losses, strict=True):
            mean.update_state(loss)
        weights = ops.convert_to_tensor(targets.get(LOSS_WEIGHTS, self.loss_weights))
        per_image = ops.sum(ops.stack(losses, axis=-1) * weights, axis=-1)
        return ops.mean(per_image)

    def _photo_features(self, photos: Tensor, cached: Mapping[str, Tensor]) -> dict[str, Tensor]:
        layers = self.references["content"]
        if not all(name in cached for name in layers):
            features = self.loss_features(photos)
            return {name: ops.stop_gradient(features[name]) for name in layers}
        return {name: ops.cast(cached[name], "float32") * FEATURE_UNIT for name in layers}

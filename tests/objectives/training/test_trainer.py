"""The training step: what it reports, that it is traced once, and that every run begins anew."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from models.networks.conditioned_style_network import (
    CONDITION,
    PHOTO,
    ConditionOptions,
    build_conditioned_network,
)
from models.networks.content_features import cache_content_features
from models.networks.loss_network import LossNetwork
from models.networks.style_network_options import StyleNetworkOptions
from objectives.errors import DivergedError, TrainingError
from objectives.training.references import measure_references, style_targets
from objectives.training.trainer import LOSS_WEIGHTS, Batch, StyleTrainer, TrainingLosses
from tests.objectives import fresh_run
from tests.objectives.fresh_run import (
    BATCH_SIZE,
    CONTENT_LAYER,
    STYLE_LAYERS,
    batches,
    build_trainer,
    draw_crops,
    objective,
)

pytestmark = pytest.mark.slow

EVEN = SampledValues(style_to_content=1.0, tv_to_content=0.1)


@pytest.fixture(scope="module")
def trainer() -> StyleTrainer:
    return build_trainer()


@pytest.fixture(scope="module")
def loss_network() -> LossNetwork:
    return LossNetwork("vgg19", layers=STYLE_LAYERS)


def as_vector(losses: TrainingLosses) -> NDArray[np.float64]:
    return np.array(list(losses.values()))


def assert_same_run(one: dict[str, Any], two: dict[str, Any]) -> None:
    for name in ("losses", "state", "picture"):
        np.testing.assert_allclose(one[name], two[name], rtol=0, atol=1e-5 * max(1, np.abs(one[name]).max()))


def test_reported_losses_equal_numpy(trainer: StyleTrainer, loss_network: LossNetwork) -> None:
    trainer.start(EVEN, **objective())
    photos = draw_crops()[:BATCH_SIZE]
    outputs = ops.convert_to_numpy(trainer.network(photos))
    of_outputs = {name: ops.convert_to_numpy(values) for name, values in loss_network(outputs).items()}
    of_photos = {name: ops.convert_to_numpy(values) for name, values in loss_network(photos).items()}
    references = objective()["references"]
    content = np.mean((of_outputs[CONTENT_LAYER] - of_photos[CONTENT_LAYER]) ** 2) / references.content[CONTENT_LAYER]
    style = []
    for name, target in objective()["style_targets"].items():
        _, height, width, channels = of_outputs[name].shape
        grams = np.einsum("bhwi,bhwj->bij", of_outputs[name], of_outputs[name]) / (height * width * channels)
        style.append(np.mean((grams - target) ** 2) / references.style[name])
    variation = np.mean(np.diff(outputs, axis=1) ** 2) + np.mean(np.diff(outputs, axis=2) ** 2)
    wanted = [content, np.mean(style), variation / references.total_variation]
    np.testing.assert_allclose(as_vector(trainer.train([(photos, {})])), wanted, rtol=1e-3)


def test_reported_losses_are_the_mean_over_batches(trainer: StyleTrainer) -> None:
    trainer.start(EVEN, **objective())
    each = [as_vector(trainer.train([batch])) for batch in batches()]
    trainer.start(EVEN, **objective())
    np.testing.assert_allclose(as_vector(trainer.train(batches())), np.mean(each, axis=0), rtol=1e-4)


def test_one_trace_serves_runs_with_other_weights() -> None:
    trainer = build_trainer()
    assert trainer.num_traces == 0
    ends = [fresh_run.run(trainer, weight)["losses"] for weight in (1.0, 0.1, 5.0)]
    assert trainer.num_traces == 1
    assert len({end.tobytes() for end in ends}) == 3


def other_objective() -> fresh_run.Objective:
    """Another style image at another size, with references of its own."""
    loss_network = LossNetwork("vgg19", layers=STYLE_LAYERS)
    targets = style_targets(loss_network, draw_crops(1)[0, :24, :20], layers=STYLE_LAYERS)
    references = measure_references(loss_network, draw_crops()[::-1, :24], targets, content_layers=[CONTENT_LAYER])
    return {"style_targets": targets, "references": references}


def test_one_trace_serves_runs_with_other_targets_and_references() -> None:
    trainer = build_trainer()
    first = fresh_run.run(trainer, 1.0)
    trainer.start(EVEN, **other_objective())
    other = as_vector(trainer.train(batches()))
    assert_same_run(first, fresh_run.run(trainer, 1.0))
    assert trainer.num_traces == 1
    fresh = build_trainer()
    fresh.start(EVEN, **other_objective())
    np.testing.assert_allclose(as_vector(fresh.train(batches())), other, rtol=1e-5)
    assert (np.abs(other / first["losses"] - 1) > 1e-2).all()


def first_step(trainer: StyleTrainer, sampled: SampledValues, **changed: Any) -> NDArray[np.float32]:
    """What one step changes of all weights."""
    trainer.start(sampled, **{**objective(), **changed})
    before = trainer.network.get_weights()
    trainer.train(batches(0, 1))
    after = trainer.network.get_weights()
    return np.concatenate([(new - old).ravel() for old, new in zip(before, after, strict=True)])


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_one_trace_serves_runs_with_other_learning_rates_and_tilts(precision: str) -> None:
    """Adam's first step is the learning rate times what the gradients' signs say, whatever their size."""
    trainer = build_trainer(precision=precision)
    own = first_step(trainer, EVEN)
    larger = first_step(trainer, dataclasses.replace(EVEN, learning_rate=4e-3))
    np.testing.assert_allclose(larger, 4 * own, rtol=1e-2, atol=1e-5)
    tilted = first_step(trainer, EVEN, references=objective()["references"].tilted(2.0))
    assert np.abs(tilted - own).max() > 1e-4
    np.testing.assert_allclose(first_step(trainer, EVEN), own, atol=1e-6)
    assert trainer.num_traces == 1


def test_a_restored_state_has_the_runs_learning_rate(trainer: StyleTrainer) -> None:
    """A long run or a final that is interrupted goes on with the trial's, not with the study's own."""
    faster = dataclasses.replace(EVEN, learning_rate=7e-3)
    trainer.start(faster, **objective())
    trainer.train(batches(0, 3))
    state = trainer.state()
    wanted = as_vector(trainer.train(batches(3, 6)))
    trainer.start(EVEN, **objective())
    trainer.restore(state)
    np.testing.assert_allclose(as_vector(trainer.train(batches(3, 6))), wanted, rtol=1e-4)
    assert any(value.size == 1 and value == np.float32(7e-3) for value in state)


def with_weights(weights: NDArray[np.float32]) -> list[Batch]:
    """The batches, each of its images with weights of its own."""
    return [(photos, {**targets, LOSS_WEIGHTS: weights}) for photos, targets in batches()]


def test_weights_that_images_bring_go_over_those_of_the_run() -> None:
    trainer = build_trainer()
    wanted = fresh_run.run(trainer, 3.0)["losses"]
    rows = np.tile(SampledValues(style_to_content=3.0, tv_to_content=0.1).loss_weights().as_vector(), (BATCH_SIZE, 1))
    for sampled in (EVEN, None):
        trainer.start(sampled, **objective())
        np.testing.assert_allclose(as_vector(trainer.train(with_weights(rows))), wanted, rtol=1e-4)


def test_each_image_is_weighed_with_its_own_weights(trainer: StyleTrainer) -> None:
    rows = np.array([[1.0, 0.1, 0.0], [0.01, 1.0, 0.1]], np.float32)

    def trained(*, swap_photos: bool, swap_weights: bool) -> NDArray[np.float64]:
        trainer.start(None, **objective())
        for photos, targets in with_weights(rows[::-1] if swap_weights else rows):
            trainer.train([(photos[::-1] if swap_photos else photos, targets)])
        return np.concatenate([value.ravel() for value in trainer.state()])

    neither = trained(swap_photos=False, swap_weights=False)
    np.testing.assert_allclose(trained(swap_photos=True, swap_weights=True), neither, atol=1e-4)
    assert np.abs(trained(swap_photos=False, swap_weights=True) - neither).max() > 1e-3


def test_without_weights_of_their_own_there_must_be_some_of_the_run(trainer: StyleTrainer) -> None:
    trainer.start(None, **objective())
    with pytest.raises(DivergedError):
        trainer.train(batches(0, 1))


def test_a_conditioned_network_is_trained_with_its_inputs_by_name(loss_network: LossNetwork) -> None:
    network = build_conditioned_network(
        StyleNetworkOptions(width=4, num_residual_blocks=1), ConditionOptions(size=2, hidden_units=(8,)), seed=1
    )
    trainer = StyleTrainer(network, loss_network, content_layers=[CONTENT_LAYER], style_layers=STYLE_LAYERS)
    plain = build_trainer()
    heard: list[int] = []
    conditions = np.eye(BATCH_SIZE, dtype=np.float32)
    inputs = [({PHOTO: photos, CONDITION: conditions}, targets) for photos, targets in batches()]
    for each in (trainer, plain):
        each.start(EVEN, **objective())
    # No condition matters before the first step.
    first = as_vector(trainer.train(inputs[:1], on_batch=heard.append))
    np.testing.assert_allclose(first, as_vector(plain.train(batches(0, 1))), rtol=1e-4)
    trainer.train(inputs[1:], on_batch=heard.append)
    assert heard == [BATCH_SIZE] * len(inputs)
    assert trainer.num_traces == 1


def without_a_layer(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "relu2_1"}


@pytest.mark.parametrize("part", ["style targets", "style references", "content references"])
def test_other_layers_are_refused_before_anything_changes(trainer: StyleTrainer, part: str) -> None:
    trainer.start(EVEN, **objective())
    trainer.train(batches(0, 1))
    state = trainer.state()
    targets, references = objective()["style_targets"], objective()["references"]
    if part == "style targets":
        targets = without_a_layer(targets)
    elif part == "style references":
        references = dataclasses.replace(references, style=without_a_layer(references.style))
    else:
        references = dataclasses.replace(references, content={"relu1_1": 1.0})
    with pytest.raises(TrainingError, match=rf"The {part} must be of the layers .*relu2_1\. Received relu1_1\."):
        trainer.start(EVEN, style_targets=targets, references=references)
    for value, again in zip(state, trainer.state(), strict=True):
        np.testing.assert_array_equal(value, again)


def test_nothing_can_be_trained_before_the_first_start() -> None:
    with pytest.raises(DivergedError):
        build_trainer().train(batches(0, 1))


def test_another_shape_is_traced_again() -> None:
    trainer = build_trainer()
    trainer.start(EVEN, **objective())
    trainer.train(batches())
    trainer.train([(draw_crops()[:3], {})])
    assert trainer.num_traces > 1


def test_training_learns_what_the_weights_ask_for(trainer: StyleTrainer) -> None:
    def after_training(**weights: float) -> TrainingLosses:
        trainer.start(SampledValues.of_weights(LossWeights.normalised(**weights)), **objective())
        for _ in range(8):
            losses = trainer.train(batches())
        return losses

    trainer.start(EVEN, **objective())
    untrained = trainer.train(batches(0, 1))
    content = after_training(content=1, style=0, total_variation=0)
    style = after_training(content=0.001, style=1, total_variation=0)
    flat = after_training(content=0.001, style=0, total_variation=1)
    for term, trained in (("content", content), ("style", style), ("total_variation", flat)):
        others = [losses[term] for losses in (untrained, content, style, flat) if losses is not trained]
        assert trained[term] < 0.8 * min(others)


@pytest.mark.parametrize("options", [{}, {"norm": "batch"}, {"precision": "mixed_float16"}], ids=str)
def test_a_run_is_the_same_whatever_ran_before(options: dict[str, Any]) -> None:
    trainer = build_trainer(**options)
    initial = [value.copy() for value in trainer.state()]
    first = fresh_run.run(trainer, 1.0)
    fresh_run.run(trainer, 8.0)
    assert_same_run(first, fresh_run.run(trainer, 1.0))
    assert np.isfinite(first["losses"]).all()
    trainer.start(EVEN, **objective())
    for before, after in zip(initial, trainer.state(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_run_changes_every_trained_number(trainer: StyleTrainer) -> None:
    trainer.start(EVEN, **objective())
    before = trainer.network.get_weights()
    trainer.train(batches())
    for old, new in zip(before, trainer.network.get_weights(), strict=True):
        assert np.abs(old - new).max() > 0


def test_a_run_can_begin_with_other_weights(trainer: StyleTrainer) -> None:
    trainer.start(EVEN, **objective())
    trainer.train(batches())
    weights = trainer.network.get_weights()
    wanted = as_vector(trainer.train(batches(0, 1)))
    trainer.start(EVEN, **objective(), weights=weights)
    for given, kept in zip(weights, trainer.network.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, given)
    with trainer.averaged() as network:
        for given, average in zip(weights, network.get_weights(), strict=True):
            np.testing.assert_array_equal(average, given)
    np.testing.assert_allclose(as_vector(trainer.train(batches(0, 1))), wanted, rtol=1e-4)


def test_start_puts_the_optimisers_step_back(trainer: StyleTrainer) -> None:
    trainer.start(EVEN, **objective())
    trainer.train(batches())
    steps = [int(value) for value in trainer.state() if value.dtype.kind == "i"]
    assert steps == [fresh_run.NUM_BATCHES]
    trainer.start(EVEN, **objective())
    assert [int(value) for value in trainer.state() if value.dtype.kind == "i"] == [0]


def test_a_restored_state_goes_on_as_if_nothing_had_happened(trainer: StyleTrainer) -> None:
    trainer.start(EVEN, **objective())
    trainer.train(batches(0, 3))
    state = trainer.state()
    kept = [value.copy() for value in state]
    wanted = as_vector(trainer.train(batches(3, 6)))
    end = trainer.state()
    for value, copy in zip(state, kept, strict=True):
        np.testing.assert_array_equal(value, copy)
    fresh_run.run(trainer, 9.0)
    trainer.start(EVEN, **objective())
    trainer.restore(state)
    np.testing.assert_allclose(as_vector(trainer.train(batches(3, 6))), wanted, rtol=1e-5)
    for value, again in zip(end, trainer.state(), strict=True):
        np.testing.assert_allclose(value, again, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_averaged_weights_lie_between_those_of_the_run(precision: str) -> None:
    trainer = build_trainer(precision=precision)
    trainer.start(EVEN, **objective())
    path = []
    for batch in batches(0, 3):
        trainer.train([batch])
        path.append(trainer.network.get_weights())
    with trainer.averaged() as network:
        assert network is trainer.network
        averaged = network.get_weights()
    for average, *weights in zip(averaged, *path, strict=True):
        assert (average <= np.max(weights, axis=0) + 1e-6).all()
        assert (average >= np.min(weights, axis=0) - 1e-6).all()
        assert np.abs(average - weights[-1]).max() > 0


def test_the_trained_weights_come_back_after_the_averaged_ones(trainer: StyleTrainer) -> None:
    trainer.start(EVEN, **objective())
    trainer.train(batches(0, 3))
    wanted = trainer.state()
    with pytest.raises(KeyError), trainer.averaged():
        raise KeyError
    for value, again in zip(wanted, trainer.state(), strict=True):
        np.testing.assert_array_equal(value, again)


def test_painting_on_the_way_changes_nothing_of_the_run(trainer: StyleTrainer) -> None:
    trainer.start(EVEN, **objective())
    trainer.train(batches())
    wanted = trainer.state()
    trainer.start(EVEN, **objective())
    for batch in batches():
        trainer.train([batch])
        with trainer.averaged():
            pass
    for value, again in zip(wanted, trainer.state(), strict=True):
        np.testing.assert_allclose(value, again, atol=1e-5)


def test_a_state_of_another_network_is_refused(trainer: StyleTrainer) -> None:
    with pytest.raises(ValueError, match="shorter"):
        trainer.restore(trainer.state()[:-1])


def test_on_batch_hears_of_each_step(trainer: StyleTrainer) -> None:
    heard: list[int] = []
    trainer.start(EVEN, **objective())
    trainer.train(batches(0, 4), on_batch=heard.append)
    assert heard == [BATCH_SIZE] * 4


def with_nan() -> tuple[NDArray[np.float32], dict[str, Any]]:
    photos = draw_crops()[:BATCH_SIZE]
    photos[1, 5, 6, 2] = np.nan
    return photos, {}


def test_a_loss_that_is_not_finite_ends_the_run_and_the_next_start_recovers(trainer: StyleTrainer) -> None:
    wanted = fresh_run.run(trainer, 1.0)
    trainer.start(EVEN, **objective())
    heard: list[int] = []
    with pytest.raises(DivergedError, match=r"^diverged: the .*total variation loss is not finite$") as told:
        trainer.train([*batches(0, 2), with_nan(), *batches(2, 6)], on_batch=heard.append)
    assert heard == [BATCH_SIZE] * 2
    assert told.value.images == 2 * BATCH_SIZE
    assert not all(np.isfinite(value).all() for value in trainer.state())
    assert_same_run(wanted, fresh_run.run(trainer, 1.0))


def test_the_message_names_only_the_term_that_broke() -> None:
    trainer = build_trainer()
    photos = draw_crops()[:BATCH_SIZE]
    cached = {CONTENT_LAYER: np.full((BATCH_SIZE, 16, 16, 128), np.inf, np.float16)}
    trainer.start(EVEN, **objective())
    with pytest.raises(DivergedError, match=r"^diverged: the content loss is not finite$"):
        trainer.train([(photos, cached)])


def test_cached_content_features_give_nearly_the_same_losses(
    trainer: StyleTrainer, loss_network: LossNetwork, tmp_path: Path
) -> None:
    crops = np.round(draw_crops() * 255).astype(np.uint8)
    cached = cache_content_features(loss_network, crops, layers=[CONTENT_LAYER], folder=tmp_path)
    pixels = crops.astype(np.float32) / 255
    indices = np.arange(len(crops)).reshape(-1, BATCH_SIZE)
    trainer.start(EVEN, **objective())
    online = as_vector(trainer.train([(pixels[rows], {}) for rows in indices]))
    trainer.start(EVEN, **objective())
    np.testing.assert_allclose(
        as_vector(trainer.train([(pixels[rows], cached.batch(rows)) for rows in indices])), online, rtol=2e-3
    )


WITHOUT_TENSORFLOW = """
import runpy, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError(f"{name} may not be imported here")

sys.meta_path.insert(0, Refuse())
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Python code that runs a script, given with its arguments, where importing TensorFlow is an error."""


def run_in_fresh_process(
    output: Path, *weights: str, backend: str = "tensorflow", forbid_tensorflow: bool = False
) -> dict[str, Any]:
    command = [fresh_run.__file__, str(output), *weights]
    if forbid_tensorflow:
        command = ["-c", WITHOUT_TENSORFLOW, *command]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    finished = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, env=environment, timeout=300
    )
    assert finished.returncode == 0, finished.stderr
    with np.load(output) as arrays:
        return dict(arrays)


def run_number(number: int, arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: arrays[f"{name}_{number}"] for name in ("losses", "state", "picture")}


@pytest.mark.slow
def test_a_run_done_third_equals_the_same_run_done_first_in_a_fresh_process(tmp_path: Path) -> None:
    third = run_in_fresh_process(tmp_path / "third.npz", "1.0", "0.1", "5.0")
    first = run_in_fresh_process(tmp_path / "first.npz", "5.0")
    assert (third["num_traces"], first["num_traces"]) == (1, 1)
    assert_same_run(run_number(2, third), run_number(0, first))
    assert np.abs(third["state_0"] - third["state_2"]).max() > 1e-3


@pytest.mark.slow
def test_training_on_jax_needs_no_tensorflow(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    arrays = run_in_fresh_process(tmp_path / "jax.npz", "1.0", "5.0", "1.0", backend="jax", forbid_tensorflow=True)
    assert str(arrays["backend"]) == "jax"
    assert arrays["num_traces"] == 1
    assert np.isfinite(arrays["losses_1"]).all()
    assert_same_run(run_number(0, arrays), run_number(2, arrays))
    assert arrays["losses_1"][1] < arrays["losses_0"][1]

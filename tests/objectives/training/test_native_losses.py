"""The trainers' losses: by hand, against their published description, and with its gradient on ten photos."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from measures.gradient_matching import match_weights
from measures.native_weights import native_shares
from measures.published_trainers import TRAINERS, PublishedTrainer
from models.networks.loss_network import LOSS_NETWORKS, LossNetwork
from objectives.training.losses import PIXELS, LossInputs, LossTerm, gram_matrix, loss_terms
from objectives.training.native_losses import (
    family_references,
    native_terms,
    style_factors,
    unit_references,
    variation_factor,
)
from objectives.training.pixel_gradients import pixel_gradients
from objectives.training.references import measure_references, style_targets
from tests.objectives.drawn_pictures import draw_photo, draw_style, stylise
from tests.objectives.training.published_losses import PUBLISHED

EVERY = pytest.mark.parametrize("trainer", TRAINERS.values(), ids=TRAINERS)
SIZE = 48


def layers_of(trainer: PublishedTrainer) -> list[str]:
    return list(dict.fromkeys([trainer.content_layer, *trainer.style_layers]))


def draw_features(trainer: PublishedTrainer, *, num: int, seed: int) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(seed)
    return {
        layer: generator.normal(size=(num, 6, 4, 2 + place)).astype(np.float32)
        for place, layer in enumerate(layers_of(trainer))
    }


def values(terms: tuple[LossTerm, ...], inputs: LossInputs) -> dict[str, float]:
    references = unit_references(terms)
    return {
        term.name: float(np.mean(ops.convert_to_numpy(term.per_image(inputs, references[term.name])))) for term in terms
    }


def test_constants_by_hand() -> None:
    channels = {"relu1_2": 64, "relu2_2": 128, "relu3_3": 256, "relu4_3": 512}
    assert style_factors(TRAINERS["jcjohnson"], channels=channels) == dict.fromkeys(channels, 1.0)
    assert style_factors(TRAINERS["gordicaleksa"], channels=channels) == dict.fromkeys(channels, 0.25)
    assert style_factors(TRAINERS["magenta"], channels=channels) == {name: num**2 for name, num in channels.items()}
    found = {name: variation_factor(one, crop_size=11, batch_size=4) for name, one in TRAINERS.items()}
    assert found == {
        "lengstrom": 1.0,
        "jcjohnson": 0.5 * 4 * 3 * 100,
        "pytorch-examples": 0.0,
        "gordicaleksa": 3 * 11 * 10,
        "magenta": 0.5,
    }


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        # Two steps along each of 3 rows of 0.1 in three channels, and none down.
        ("lengstrom", (0.1 * 255) ** 2),
        ("jcjohnson", 2 * 3 * 4 * (0.1 * 255) ** 2 / 2),
        ("gordicaleksa", 6 * 0.1 * (1 / 0.229 + 1 / 0.224 + 1 / 0.225)),
        ("magenta", 0.1**2 / 2),
    ],
)
def test_total_variation_of_a_ramp_by_hand(name: str, wanted: float) -> None:
    ramp = np.broadcast_to(np.array([0.1, 0.2, 0.3], np.float32)[None, None, :, None], (2, 3, 3, 3)).copy()
    *_, term = native_terms(
        TRAINERS[name], channels=dict.fromkeys(layers_of(TRAINERS[name]), 1), crop_size=3, batch_size=2
    )
    inputs = LossInputs(outputs={PIXELS: ramp}, photos={}, style_grams={})
    np.testing.assert_allclose(term.per_image(inputs, {PIXELS: 1.0}), wanted, rtol=1e-5)


def test_a_tilt_multiplies_the_constants_of_style_layers_alone() -> None:
    trainer = TRAINERS["jcjohnson"]
    sizes: dict[str, Any] = {"channels": dict.fromkeys(trainer.style_layers, 3), "crop_size": 8, "batch_size": 2}
    plain, tilted = native_terms(trainer, **sizes), native_terms(trainer, **sizes, tilt=1.0)
    weights = dict(zip(trainer.style_layers, np.array([4, 8, 16, 32]) / 15, strict=True))
    assert tilted[1].layers == pytest.approx({layer: plain[1].layers[layer] * weights[layer] for layer in weights})
    assert [term.layers for term in tilted[::2]] == [term.layers for term in plain[::2]]


@EVERY
def test_terms_are_the_published_ones(trainer: PublishedTrainer) -> None:
    """On small feature maps and a batch of two, crops of the size that the sums are taken over."""
    out, photo = (draw_features(trainer, num=2, seed=seed) for seed in (1, 2))
    style = draw_features(trainer, num=1, seed=3)
    pictures = np.random.default_rng(4).random((2, SIZE, SIZE, 3), dtype=np.float32)
    inputs = LossInputs(
        outputs={PIXELS: pictures, **out},
        photos=photo,
        style_grams={layer: gram_matrix(style[layer])[0] for layer in trainer.style_layers},
    )
    channels = {layer: style[layer].shape[-1] for layer in trainer.style_layers}
    found = values(native_terms(trainer, channels=channels, crop_size=SIZE, batch_size=2), inputs)
    wanted = {name: float(value) for name, value in PUBLISHED[trainer.name](out, photo, style, pictures).items()}
    assert found == pytest.approx(wanted, rel=1e-4)


@pytest.mark.slow
@EVERY
def test_our_loss_in_a_trainers_family_pulls_as_the_published_one_does(trainer: PublishedTrainer) -> None:
    """Ten photos, shares by the trainer's constants and our references: a cosine above .999, whatever the weights."""
    style_image = draw_style(height=64, width=64)
    photos = np.stack([draw_photo(seed, height=SIZE, width=SIZE) for seed in range(10)])
    outputs = np.stack([stylise(photo, style_image, strength=0.4, seed=seed) for seed, photo in enumerate(photos)])
    network = LossNetwork(trainer.loss_network, layers=layers_of(trainer))
    targets = style_targets(network, style_image, layers=trainer.style_layers)
    references = measure_references(network, photos, targets, content_layers=[trainer.content_layer])
    factors = style_factors(trainer, channels={layer: len(gram) for layer, gram in targets.items()})
    content, style, variation = loss_terms(content_layers=[trainer.content_layer], style_layers=trainer.style_layers)
    shared = LossTerm(name="style", layers=native_shares(factors, references.style), measure=style.measure)
    ours = pixel_gradients(
        network,
        (content, shared, variation),
        references.by_term(),
        outputs=outputs,
        photos=photos,
        style_grams=targets,
    )
    published = published_gradients(trainer, network, outputs=outputs, photos=photos, style_image=style_image)
    channels = {layer: len(gram) for layer, gram in targets.items()}
    in_family = family_references(references, trainer, channels=channels)
    assert (in_family.content, in_family.total_variation) == (references.content, references.total_variation)
    # A study's terms share equally; of these references the shares are the trainer's.
    by_references = style.per_image(inputs_of(network, outputs, targets), in_family.style)
    by_shares = shared.per_image(inputs_of(network, outputs, targets), references.style)
    np.testing.assert_allclose(by_references, by_shares, rtol=1e-4)
    found = match_weights(trainer.published.to_dict(), published, into=ours)
    assert found.lowest_cosine > 0.999
    assert min(found.term_cosines["content"], found.term_cosines["style"]) > 0.999
    # jcjohnson leaves out the last row and column: a forty-eighth of the differences here, less in larger crops.
    assert found.term_cosines.get("total_variation", 1.0) > 0.99


def inputs_of(
    network: LossNetwork, outputs: NDArray[np.float32], targets: dict[str, NDArray[np.float32]]
) -> LossInputs:
    return LossInputs(outputs=network(outputs), photos={}, style_grams=targets)


def published_gradients(
    trainer: PublishedTrainer,
    network: LossNetwork,
    *,
    outputs: NDArray[np.float32],
    photos: NDArray[np.float32],
    style_image: NDArray[np.float32],
) -> dict[str, NDArray[np.float32]]:
    """Of the published description, by TensorFlow's own tape over the whole batch."""
    style, content = network(style_image[None]), network(photos)
    variable = tf.Variable(outputs)
    with tf.GradientTape(persistent=True) as tape:
        terms: Mapping[str, Any] = PUBLISHED[trainer.name](network(variable), content, style, variable)
    return {name: tape.gradient(term, variable).numpy() for name, term in terms.items()}


@pytest.mark.slow
def test_pixel_gradients_are_those_of_the_tape() -> None:
    trainer = TRAINERS["gordicaleksa"]
    style_image = draw_style(height=64, width=64)
    photos = np.stack([draw_photo(seed, height=SIZE, width=SIZE) for seed in range(2)])
    outputs = photos[::-1].copy()
    network = LossNetwork(trainer.loss_network, layers=layers_of(trainer))
    targets = style_targets(network, style_image, layers=trainer.style_layers)
    channels = {layer: len(gram) for layer, gram in targets.items()}
    terms = native_terms(trainer, channels=channels, crop_size=SIZE, batch_size=2)
    found = pixel_gradients(network, terms, unit_references(terms), outputs=outputs, photos=photos, style_grams=targets)
    wanted = published_gradients(trainer, network, outputs=outputs, photos=photos, style_image=style_image)
    for name, gradient in found.items():
        # The published loss is the mean over both.
        np.testing.assert_allclose(gradient / 2, wanted[name], rtol=1e-3, atol=1e-4 * np.abs(wanted[name]).max())


@EVERY
def test_layers_are_those_of_the_network_that_stands_for_it(trainer: PublishedTrainer) -> None:
    assert set(layers_of(trainer)) <= set(LOSS_NETWORKS[trainer.loss_network].layers)

"""A trainer's weights in a study's loss: against exact constants where there are some, there and back everywhere."""

from pathlib import Path

import numpy as np
import pytest

from measures.native_weights import NativeWeights, native_total
from measures.published_trainers import TRAINERS
from measures.sampled_values import SampledValues
from objectives.training.native_losses import style_factors
from objectives.training.references import LossReferences, measure_references, style_targets
from tests.tuner.tiny_study import CONFIGURATION
from tuner.configuration.loading import load_config
from tuner.configuration.settings import StudyConfig
from tuner.converting.compared_losses import NativeSizes, compare_losses, measure_own_loss
from tuner.search.resources import build_loss_network
from tuner.search.study_pictures import StudyPictures, open_pictures

pytestmark = pytest.mark.slow


def tiny(folder: Path, **loss: object) -> tuple[StudyConfig, StudyPictures]:
    (folder / "other.yaml").write_text(CONFIGURATION)
    config = load_config(str(folder / "other.yaml"), overrides={"loss": loss})
    return config, open_pictures(config)


def references_of(config: StudyConfig, pictures: StudyPictures) -> LossReferences:
    network = build_loss_network(config)
    targets = style_targets(network, pictures.style, layers=config.loss.style_layers)
    crops = pictures.crops(config) / 255.0
    return measure_references(network, crops.astype("f4"), targets, content_layers=config.loss.content_layers)


def test_in_a_trainers_own_family_ratios_are_the_exact_constants(folder: Path) -> None:
    """Content and total variation, which have no shares to differ in: by the weights, the range and the references."""
    config, pictures = tiny(folder, content_layers=["relu4_2"])
    trainer = TRAINERS["lengstrom"]
    weights = NativeWeights(content=7.5, style=100.0, total_variation=200.0)
    compared = compare_losses(config, pictures, trainer, sizes=NativeSizes.of(trainer))
    found = compared.to_own(weights)
    references = references_of(config, pictures)
    wanted = 200.0 * 255.0**2 * references.total_variation / (7.5 * references.content["relu4_2"])
    assert found.weights["total_variation"] == pytest.approx(wanted, rel=1e-3)
    assert found.term_cosines["content"] == pytest.approx(1.0, abs=1e-4)
    assert found.term_cosines["total_variation"] == pytest.approx(1.0, abs=1e-4)
    assert found.weights["content"] == 1.0


@pytest.mark.parametrize("name", TRAINERS)
def test_there_and_back(folder: Path, name: str) -> None:
    config, pictures = tiny(folder)
    trainer = TRAINERS[name]
    compared = compare_losses(config, pictures, trainer, sizes=NativeSizes.of(trainer))
    assert compared.num_pictures == 10
    values = SampledValues(style_to_content=3.0, tv_to_content=0.2 if trainer.has_variation else 0.0)
    native = compared.to_native(values, content=trainer.published.content)
    assert native.weights["content"] == pytest.approx(trainer.published.content)
    back = compared.to_own(NativeWeights(**{"total_variation": 0.0, **native.weights}))
    assert back.weights["style"] == pytest.approx(3.0, rel=1e-6)
    assert back.weights["total_variation"] == pytest.approx(values.tv_to_content, rel=1e-6)
    assert back.cosine == pytest.approx(native.cosine, abs=1e-6)


def test_sums_grow_with_the_trainers_crops_and_batch(folder: Path) -> None:
    config, pictures = tiny(folder)
    trainer = TRAINERS["jcjohnson"]
    ratios = []
    for sizes in (NativeSizes(crop_size=101, batch_size=4), NativeSizes(crop_size=201, batch_size=8)):
        compared = compare_losses(config, pictures, trainer, sizes=sizes)
        ratios.append(compared.to_own(trainer.published).weights["total_variation"])
    assert ratios[1] / ratios[0] == pytest.approx(4 * 2, rel=1e-5)


def test_a_studys_own_references_are_what_its_loss_is_divided_by(folder: Path) -> None:
    config, pictures = tiny(folder)
    trainer = TRAINERS["lengstrom"]
    measured = references_of(config, pictures)
    twice = LossReferences(
        content={layer: 2 * value for layer, value in measured.content.items()},
        style=measured.style,
        total_variation=measured.total_variation,
    )
    found = [
        compare_losses(config, pictures, trainer, sizes=NativeSizes.of(trainer), references=references)
        .to_own(trainer.published)
        .weights["style"]
        for references in (None, measured, twice)
    ]
    assert found[1] == pytest.approx(found[0], rel=1e-5)
    assert found[2] == pytest.approx(found[0] / 2, rel=1e-5)


@pytest.mark.parametrize("name", ["pytorch-examples", "magenta"])
def test_a_study_in_a_trainers_family_has_its_loss(folder: Path, name: str) -> None:
    """Its published ratio follows from the references as measured, before they are put in the family."""
    trainer = TRAINERS[name]
    (folder / "family.yaml").write_text(
        "\n".join(line for line in CONFIGURATION.splitlines() if not line.startswith("loss:")).replace(
            "baseline: [1, 1, 0.1], ", ""
        )
    )
    config = load_config(str(folder / "family.yaml"), overrides={"loss": {"trainer": name}})
    pictures = open_pictures(config)
    found = compare_losses(config, pictures, trainer, sizes=NativeSizes.of(trainer)).to_own(trainer.published)
    assert found.lowest_cosine > 0.999
    measured = references_of(config, pictures)
    network = build_loss_network(config)
    channels = {
        layer: len(gram)
        for layer, gram in style_targets(network, pictures.style, layers=config.loss.style_layers).items()
    }
    factors = style_factors(trainer, channels=channels)
    content = trainer.published.content * measured.content[trainer.content_layer]
    wanted = trainer.published.style * native_total(factors, measured.style) / content
    assert found.weights["style"] == pytest.approx(wanted, rel=1e-3)


def test_a_tilt_that_a_trainer_is_told_leaves_its_loss_the_same(folder: Path) -> None:
    """In its own family: and one that it is not told makes another one."""
    trainer = TRAINERS["jcjohnson"]
    (folder / "family.yaml").write_text(
        "\n".join(line for line in CONFIGURATION.splitlines() if not line.startswith("loss:")).replace(
            "baseline: [1, 1, 0.1], ", ""
        )
    )
    overrides = {"loss": {"trainer": "jcjohnson", "style_tilt": 2.0}}
    config = load_config(str(folder / "family.yaml"), overrides=overrides)
    own = measure_own_loss(config, open_pictures(config), num_pictures=2)
    told = own.against(trainer, sizes=NativeSizes.of(trainer, style_tilt=2.0)).to_own(trainer.published)
    untold = own.against(trainer, sizes=NativeSizes.of(trainer)).to_own(trainer.published)
    assert told.term_cosines["style"] > 0.999
    assert untold.term_cosines["style"] < told.term_cosines["style"] - 0.01


def test_few_pictures_are_the_first_ones_and_give_the_same_constants(folder: Path) -> None:
    """As at a study's start, which waits for it; between losses up to a constant they are as good as many."""
    trainer = TRAINERS["lengstrom"]
    config, pictures = tiny(folder, content_layers=["relu4_2"])
    references = references_of(config, pictures)
    many = measure_own_loss(config, pictures, references=references)
    few = measure_own_loss(config, pictures, references=references, num_pictures=4)
    np.testing.assert_array_equal(few.photos, many.photos[:4])
    found = [one.against(trainer, sizes=NativeSizes.of(trainer)).to_own(trainer.published) for one in (many, few)]
    variations = [one.weights["total_variation"] for one in found]
    assert variations[1] == pytest.approx(variations[0], rel=1e-3)

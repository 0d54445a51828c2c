"""A study in a trainer's own loss divides by what its style layers share by, in search and in full training."""

from pathlib import Path

import numpy as np
import pytest

from measures.loss_weights import LossWeights
from measures.native_weights import native_references
from measures.published_trainers import TRAINERS
from objectives.training.native_losses import style_factors
from objectives.training.references import LossReferences, measure_references, style_targets
from studies.records.exported_config import ExportedConfig
from tests.tuner.tiny_study import CONFIGURATION
from tuner.checkpointed.network_files import NetworkFiles
from tuner.configuration.loading import load_config
from tuner.configuration.settings import StudyConfig
from tuner.finished import full_training
from tuner.finished.training_plan import TrainingPlan
from tuner.search.resources import StudyResources, build_loss_network
from tuner.search.study_pictures import StudyPictures, open_pictures

TRAINER = TRAINERS["magenta"]


@pytest.fixture
def tiny(folder: Path) -> tuple[StudyConfig, StudyPictures]:
    """The tiny study in the trainer's own loss, at one size in search and full training."""
    lines = CONFIGURATION.replace("baseline: [1, 1, 0.1], ", "").splitlines()
    (folder / "bare.yaml").write_text("\n".join(line for line in lines if not line.startswith("loss:")))
    config = load_config(str(folder / "bare.yaml"), overrides={"loss": {"trainer": TRAINER.name}})
    return config, open_pictures(config)


def shared_by_trainer(measured: LossReferences, grams: dict[str, np.ndarray]) -> dict[str, float]:
    """By the factors alone, which are held to the trainer's published description elsewhere."""
    channels = {layer: len(gram) for layer, gram in grams.items()}
    return native_references(style_factors(TRAINER, channels=channels), measured.style)


def test_a_studys_scale_has_the_trainers_shares(tiny: tuple[StudyConfig, StudyPictures], tmp_path: Path) -> None:
    config, pictures = tiny
    scale = StudyResources(config, pictures, report=lambda _: None, tables_root=tmp_path / "tables").scale
    network = build_loss_network(config)
    grams = style_targets(network, pictures.style, layers=TRAINER.style_layers)
    crops = (pictures.crops(config) / 255.0).astype("f4")
    measured = measure_references(network, crops, grams, content_layers=[TRAINER.content_layer])
    assert scale.references.style == pytest.approx(shared_by_trainer(measured, grams), rel=1e-4)
    assert scale.references.style != pytest.approx(measured.style, rel=0.1)
    assert scale.references.content == pytest.approx(measured.content, rel=1e-4)


def test_full_training_has_them_too(
    tiny: tuple[StudyConfig, StudyPictures], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is trained: what is measured at the beginning is looked at."""
    config, pictures = tiny
    before: list[LossReferences] = []
    real = full_training.measure_references

    def note(*arguments: object, **options: object) -> LossReferences:
        before.append(real(*arguments, **options))  # type: ignore[arg-type]
        return before[-1]

    monkeypatch.setattr(full_training, "measure_references", note)
    plan = TrainingPlan(
        exported=ExportedConfig.model_construct(),
        config=config,
        weights=LossWeights.normalised(content=1.0, style=1.0, total_variation=0.1),
        files=NetworkFiles(tmp_path / "best.keras"),
    )
    _, found = full_training._start_trainer(plan, pictures, pictures.split.training)
    grams = style_targets(build_loss_network(config), pictures.style, layers=TRAINER.style_layers)
    assert found.style == pytest.approx(shared_by_trainer(before[0], grams), rel=1e-5)
    assert found.style != pytest.approx(before[0].style, rel=0.1)

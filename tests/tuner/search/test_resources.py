"""Which cached content features a study uses again, and what is reported while they are computed."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from measures.sampled_values import SampledValues
from models.networks.style_network import stylise
from objectives.training.references import LossReferences, measure_references
from tuner.configuration.loading import load_config, merge
from tuner.configuration.settings import StudyConfig
from tuner.search import crop_tables, resources
from tuner.search.resources import StudyResources
from tuner.search.study_pictures import open_pictures

pytestmark = pytest.mark.slow


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "features"


def read(folder: Path, **overrides: Any) -> StudyConfig:
    own: dict[str, Any] = {"style": str(folder / "style.png"), "photos": [str(folder / "photos")]}
    return load_config(str(folder / "tiny.yaml"), overrides=merge(own, overrides))


def build(config: StudyConfig, cache: Path, reports: list[str] | None = None) -> StudyResources:
    report = (reports if reports is not None else []).append
    return StudyResources(config, open_pictures(config), report=report, tables_root=cache)


def test_rounding_noise_in_the_references_computes_nothing_again(
    drawn_study: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(read(drawn_study), cache)

    def measure_noisily(*arguments: Any, **options: Any) -> LossReferences:
        found = measure_references(*arguments, **options)
        content = {name: value * (1 + 1e-6) for name, value in found.content.items()}
        return LossReferences(content=content, style=found.style, total_variation=found.total_variation)

    monkeypatch.setattr(resources, "measure_references", measure_noisily)
    (folder,) = cache.iterdir()
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
    assert {path.name for path in written} == {"crops.npy", "relu2_1.npy"}
    # Neither does another bound on the cache, another style image's size, or another batch size.
    data = {"feature_cache_megabytes": 100, "style_size": 40}
    second = build(read(drawn_study, data=data, training={"batch_size": 2}), cache)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")} == written
    assert list(cache.iterdir()) == [folder]
    features = [next(each.batches(0, 2))[1]["relu2_1"][:2] for each in (first, second)]
    np.testing.assert_array_equal(*features)


def test_progress_is_reported_while_features_are_computed(
    drawn_study: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence looks like a hang."""
    monkeypatch.setattr(crop_tables, "SECONDS_BETWEEN_REPORTS", 0.0)
    reports: list[str] = []
    build(read(drawn_study), cache, reports)
    assert [text for text in reports if "of 16 crops" in text] == [
        "content features of 8 of 16 crops",
        "content features of 16 of 16 crops",
    ]
    monkeypatch.setattr(crop_tables, "SECONDS_BETWEEN_REPORTS", 60.0)
    shutil.rmtree(cache)
    reports.clear()
    build(read(drawn_study), cache, reports)
    assert not [text for text in reports if "of 16 crops" in text]


def test_what_is_painted_is_painted_with_the_averaged_weights(drawn_study: Path, cache: Path) -> None:
    built = build(read(drawn_study), cache)
    built.start(SampledValues(style_to_content=1.0, tv_to_content=0.1))
    built.trainer.train(built.batches(0, 16))
    trained = stylise(built.trainer.network, built.rung.photos)
    with built.trainer.averaged() as network:
        averaged = stylise(network, built.rung.photos)
    painted = built.paint()
    np.testing.assert_allclose(painted, averaged, atol=0.51 / 255)
    assert np.abs(painted - trained).max() > 2 / 255

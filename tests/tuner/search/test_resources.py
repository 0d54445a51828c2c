"""Which cached content features a study uses again, and what is reported while they are computed."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from measures.sampled_values import SampledValues
from models.networks.style_network import stylise
from models.pictures.images import write_image
from objectives.training.references import LossReferences, measure_references
from tests.objectives.drawn_pictures import draw_style
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


def test_another_style_image_renews_all_sizes_each_as_in_a_study_of_it_alone(
    drawn_study: Path, cache: Path, tmp_path: Path
) -> None:
    """Style targets and references, and these with the shares that a published trainer has."""
    lines = (drawn_study / "tiny.yaml").read_text(encoding="utf-8").splitlines()
    (tmp_path / "bare.yaml").write_text("\n".join(line for line in lines if line[:5] != "loss:"), encoding="utf-8")
    write_image(tmp_path / "other.png", draw_style(7))

    def configure(style: Path, data: dict[str, Any], search: dict[str, Any]) -> StudyConfig:
        own = {"style": str(style), "photos": [str(drawn_study / "photos")], "loss": {"trainer": "lengstrom"}}
        return load_config(
            str(tmp_path / "bare.yaml"), overrides=merge(own, {"data": data, "search": {"baseline": None, **search}})
        )

    begun: list[dict[str, Any]] = []

    def start(built: StudyResources, sampled: SampledValues) -> LossReferences:
        with patch.object(built.trainer, "start", lambda _, **given: begun.append(given)):
            built.start(sampled)
        references: LossReferences = begun[-1]["references"]
        return references

    sizes = {"style_size": [48, 64]}
    built = build(configure(drawn_study / "style.png", {}, sizes), cache)
    before = built.scale
    later = configure(tmp_path / "other.png", {}, sizes)
    built.go_over_to(later, open_pictures(later), report=lambda _: None)
    assert built.scale.style_at_size.keys() == before.style_at_size.keys() == {64}
    assert built.scale.style_at_size[64] != before.style_at_size[64]
    alone = build(configure(tmp_path / "other.png", {"style_size": 64}, {}), cache)
    values = SampledValues(style_to_content=1.0, tv_to_content=0.1)
    expected, found = start(alone, values), start(built, replace(values, style_size=64))
    assert found.style == pytest.approx(expected.style, rel=1e-5)
    assert (found.content, found.total_variation) == (expected.content, expected.total_variation)
    one, other = (given["style_targets"] for given in begun)
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[layer], other[layer]) for layer in one)
    assert start(built, values).style == built.scale.references.style != found.style


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

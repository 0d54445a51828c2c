"""A study's scale is what its first worker measured, whoever comes second."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from measures.sampled_values import SampledValues
from objectives.training.references import LossReferences, measure_references
from objectives.training.trainer import StyleTrainer
from studies.records import attributes
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, num_finished, opened
from tuner.search import resources

pytestmark = pytest.mark.slow

RUN: Final = ("study", "run", "tiny.yaml", "--name", NAME)

Remeasure = Callable[[float], None]


@pytest.fixture
def remeasure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remeasure]:
    """Have this process measure content references that differ by a factor, as another machine may."""

    def by(factor: float) -> None:
        def measure(*arguments: Any, **options: Any) -> LossReferences:
            found = measure_references(*arguments, **options)
            content = {name: value * factor for name, value in found.content.items()}
            return LossReferences(content=content, style=found.style, total_variation=found.total_variation)

        monkeypatch.setattr(resources, "measure_references", measure)

    return by


def scale(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with opened(folder / "styletuner.db") as storage:
        attrs = storage.read_study(NAME).user_attrs
    return attrs[attributes.REFERENCES], attrs[attributes.IDENTITY]


def test_worker_that_measures_another_scale_stops_and_changes_nothing(
    finished: Path, run_cli: RunCli, remeasure: Remeasure
) -> None:
    before = scale(finished)
    remeasure(1.002)
    stored = before[0]["content"]["relu2_1"]
    refused = run_cli(*RUN, "--trials", 4)
    refused.require_refusal(f"Study '{NAME}'", "content loss at relu2_1", f"{stored:.7g}", f"{stored * 1.002:.7g}")
    assert scale(finished) == before
    assert num_finished(finished / "styletuner.db") == 3


def test_worker_with_another_loss_network_stops_and_changes_nothing(finished: Path, run_cli: RunCli) -> None:
    with StudyStorage.open(str(finished / "styletuner.db")) as storage:
        study = storage.load_study(NAME)
        identity = study.user_attrs[attributes.IDENTITY]
        digest = identity["loss_network"]["digest"]
        other = {**identity, "loss_network": {**identity["loss_network"], "digest": "f" * 64}}
        study.set_user_attr(attributes.IDENTITY, other)
    before = scale(finished)
    run_cli(*RUN, "--trials", 4).require_refusal(f"Study '{NAME}'", "f" * 12, digest[:12], "weights fetch vgg19")
    assert scale(finished) == before


def test_stored_scale_is_what_is_trained_with_and_exported(
    finished: Path, run_cli: RunCli, remeasure: Remeasure, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scale(finished)
    remeasure(1 + 2e-6)
    used: list[LossReferences] = []
    start = StyleTrainer.start

    def remember(trainer: StyleTrainer, sampled: SampledValues, *, references: LossReferences, **others: Any) -> None:
        used.append(references)
        start(trainer, sampled, references=references, **others)

    monkeypatch.setattr(StyleTrainer, "start", remember)
    run_cli(*RUN, "--trials", 4).require_success()
    run_cli("study", "export", NAME).require_success()
    run_cli("train", "best.yaml", "--repeat-trial", "-o", "again.keras").require_success()
    assert [references.to_dict() for references in used] == [before[0]] * 2, "a trial, and its repetition"
    assert scale(finished) == before
    assert yaml.safe_load((finished / "best.yaml").read_text())["references"] == before[0]


def test_repeated_trial_does_not_pass_for_one_of_another_scale(
    finished: Path, run_cli: RunCli, remeasure: Remeasure
) -> None:
    run_cli("study", "export", NAME).require_success()
    remeasure(1.002)
    run_cli("train", "best.yaml", "--repeat-trial", "-o", "again.keras").require_refusal(
        NAME, "content loss at relu2_1"
    )
    assert not (finished / "again.keras").exists()

"""What a trial's values are, and that samplers can use them."""

from typing import get_args

import optuna
import pytest

from measures.quality import PhotoQuality, Quality, average_photos
from tuner.configuration.search_sections import SearchSection
from tuner.search.goals import goal_names, goal_values, name_goals
from tuner.search.samplers import build_sampler
from tuner.search.space import suggest_values


def scored(*photos: tuple[float, float, float]) -> Quality:
    """Photos of these content preservations, style matches and artefact factors."""
    return average_photos(
        [
            PhotoQuality(
                quality=(content * style) ** 0.5 * factor,
                content_preservation=content,
                style_match=style,
                artefact_factor=factor,
                terms={},
            )
            for content, style, factor in photos
        ]
    )


def test_values_by_hand_are_means_of_products_not_products_of_means() -> None:
    quality = scored((1.0, 0.5, 0.2), (0.5, 0.25, 1.0))
    values = goal_values(quality, "content_and_style")
    assert values == {"content": pytest.approx(0.35), "style": pytest.approx(0.175)}
    assert values["content"] != pytest.approx(quality.content_preservation * quality.artefact_factor)


def test_one_objective_is_the_quality() -> None:
    quality = scored((1.0, 0.5, 0.2), (0.5, 0.25, 1.0))
    assert goal_values(quality, "quality") == {"quality": quality.quality}


def test_faults_lower_both() -> None:
    clean = goal_values(scored((0.8, 0.6, 1.0)), "content_and_style")
    faulty = goal_values(scored((0.8, 0.6, 0.5)), "content_and_style")
    assert faulty == {name: pytest.approx(value / 2) for name, value in clean.items()}


def test_names_and_values_have_one_order() -> None:
    for objectives in ("quality", "content_and_style"):
        assert tuple(goal_values(scored((0.5, 0.5, 1.0)), objectives)) == goal_names(objectives)


def test_optuna_knows_the_names() -> None:
    study = optuna.create_study(directions=["maximize", "maximize"])
    for _ in range(2):
        name_goals(study, "content_and_style")
    assert study.metric_names == ["content", "style"]


@pytest.mark.parametrize("sampler", get_args(SearchSection.model_fields["sampler"].annotation))
def test_every_sampler_takes_two_objectives_and_pruned_trials(sampler: str) -> None:
    """A new one that does not has to be refused with two objectives, as a configuration error."""
    search = SearchSection(sampler=sampler, trials=12, grid=(4, 3) if sampler == "grid" else None)
    study = optuna.create_study(directions=["maximize", "maximize"])
    for number in range(12):
        study.sampler = build_sampler(search, seed=0)
        trial = study.ask()
        weights = suggest_values(trial, search).loss_weights()
        if number % 3:
            study.tell(trial, [weights.content, weights.style])
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 12

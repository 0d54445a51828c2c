"""Published defaults as a study's trials carry them, and how they compare with what was found."""

import json

import optuna
from optuna.trial import TrialState, create_trial

from studies.records import attributes
from studies.records.published_defaults import PublishedDefaults, PublishedSetting, parse_untried
from studies.records.published_words import published_in_words
from studies.records.summaries import summarise
from studies.records.trial_table import trial_table
from studies.records.trial_words import origin_in_words
from studies.storage.study_storage import StudyStorage

JCJOHNSON = PublishedDefaults(trainer="jcjohnson", cosine=0.99, reasons=("its loss network is not here",))
PYTORCH = PublishedDefaults(trainer="pytorch-examples", cosine=0.37, reasons=("the losses' gradients differ",))
LENGSTROM = PublishedDefaults(trainer="lengstrom", cosine=0.999)


def setting(*defaults: PublishedDefaults, style: float = 9.0) -> PublishedSetting:
    return PublishedSetting(defaults=defaults, style_to_content=style, tv_to_content=0.0)


def add(study: optuna.Study, state: TrialState, quality: float, tried: PublishedSetting | None, **more: object) -> None:
    marks = {} if tried is None else {attributes.PUBLISHED: tried.to_attribute()}
    study.add_trial(
        create_trial(
            state=state,
            value=quality if state is TrialState.COMPLETE else None,
            intermediate_values={320: quality},
            user_attrs={**marks, **more},
        )
    )


def test_there_and_back() -> None:
    tried = setting(JCJOHNSON, PYTORCH)
    assert PublishedSetting.parse(json.loads(json.dumps(tried.to_attribute()))) == tried
    for wrong in (None, 5, {}, {"defaults": []}, {**tried.to_attribute(), "style_to_content": "much"}):
        assert PublishedSetting.parse(wrong) is None
    assert parse_untried([{"trainer": "magenta", "why": "too far"}, {"trainer": 5}, 7])[0].trainer == "magenta"
    assert parse_untried(None) == ()


def test_how_near_they_are() -> None:
    assert [one.nearness.value for one in (LENGSTROM, JCJOHNSON, PYTORCH)] == ["same", "approximate", "no match"]
    assert setting(LENGSTROM).in_words() == "lengstrom's defaults"
    assert setting(JCJOHNSON).in_words() == "jcjohnson's defaults (approximate)"
    both = setting(PYTORCH, JCJOHNSON).in_words()
    assert both == "defaults: pytorch-examples' (no match) and jcjohnson's (approximate)"
    told = origin_in_words(is_baseline=True, foretold=None, published=setting(LENGSTROM))
    assert told == "baseline: lengstrom's defaults"


def test_what_was_found_beside_what_people_use(storage: StudyStorage, study: optuna.Study) -> None:
    add(study, TrialState.COMPLETE, 0.28, setting(PYTORCH))
    add(study, TrialState.FAIL, 0.1, setting(JCJOHNSON))
    add(study, TrialState.COMPLETE, 0.46, None)
    add(study, TrialState.COMPLETE, 0.31, setting(JCJOHNSON, style=40.0), retry_of=1)
    add(study, TrialState.PRUNED, 0.2, setting(LENGSTROM), images_seen=320)
    study.set_user_attr(attributes.UNTRIED_DEFAULTS, [{"trainer": "magenta", "why": "too far"}])
    summary = summarise(storage, "waves")
    assert published_in_words(summary).splitlines() == [
        "Published defaults: jcjohnson's (approximate) 0.310, pytorch-examples' (no match) 0.280, lengstrom's 0.200 "
        "when pruned after 320 images; found 0.460 (trial 2)",
        "Not tried: magenta (too far)",
    ]
    entries = json.loads(json.dumps(summary.as_dict()))["published"]
    assert [(entry["trainer"], entry["trial"], entry["nearness"]) for entry in entries] == [
        ("jcjohnson", 3, "approximate"),
        ("pytorch-examples", 0, "no match"),
        ("lengstrom", 4, "same"),
    ]
    assert trial_table(summary)[0]["published"] == "pytorch-examples' defaults (no match)"
    assert summary.trials[3].values_run == {"style_to_content": 40.0, "tv_to_content": 0.0}


def test_nothing_found_is_better(storage: StudyStorage, study: optuna.Study) -> None:
    add(study, TrialState.COMPLETE, 0.3, setting(LENGSTROM))
    told = published_in_words(summarise(storage, "waves"))
    assert told == "Published defaults: lengstrom's 0.300; found 0.300 (trial 0, which is among these)"


def test_a_study_without_any_says_nothing(storage: StudyStorage, study: optuna.Study) -> None:
    add(study, TrialState.COMPLETE, 0.3, None)
    assert published_in_words(summarise(storage, "waves")) == ""

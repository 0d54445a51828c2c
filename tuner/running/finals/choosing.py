"""Which trials of a study go into its final, and with which seeds they are trained again."""

from measures.versions import JUDGE_VERSION
from studies.records.final import FEWEST_FINALISTS, StudyFinal
from studies.records.summaries import StudySummary, TrialSummary, rank, summarise
from tuner.configuration.settings import StudyConfig
from tuner.installation.versions import versions
from tuner.running.study_run import StudyRun


def choose_finalists(trials: tuple[TrialSummary, ...], num_finalists: int) -> tuple[TrialSummary, ...]:
    """Return so many complete trials, those of the highest quality, or as many as there are; none if there is one.

    Of several that run the same values only the best one is chosen: another would be trained to the same end.

    Args:
        trials: Of the study.
        num_finalists: How many are wanted.
    """
    complete = [trial for trial in rank(trials) if trial.state == "COMPLETE" and trial.weights]
    # Those without values, which only other programs write, are told apart by their weights.
    values = [tuple(sorted((trial.values_run or dict(trial.weights)).items())) for trial in complete]
    different = [trial for place, trial in enumerate(complete) if values[place] not in values[:place]]
    chosen = tuple(different[:num_finalists])
    return chosen if len(chosen) >= FEWEST_FINALISTS else ()


def num_missing_runs(summary: StudySummary, config: StudyConfig) -> int:
    """Return how many runs the final of a study needs that are not there, if its search ended now.

    Args:
        summary: The study.
        config: Its configuration.
    """
    if config.num_finalists < FEWEST_FINALISTS:
        return 0
    chosen = choose_finalists(summary.trials, config.num_finalists)
    kept = summary.record.final
    is_comparable = kept is not None and (kept.judge_version, kept.seeds) == (JUDGE_VERSION, config.final_seeds)
    done = {run.key for run in kept.runs} if kept is not None and is_comparable else set()
    return sum((trial.number, seed) not in done for trial in chosen for seed in config.final_seeds)


def plan_final(run: StudyRun) -> StudyFinal | None:
    """Return a study's final without its runs; None where it has none.

    Raises:
        StudyError: The study was deleted.
        StorageError: The database cannot be read.
    """
    if run.config.num_finalists < FEWEST_FINALISTS:
        return None
    finalists = choose_finalists(summarise(run.storage, run.name).trials, run.config.num_finalists)
    if not finalists:
        return None
    return StudyFinal(
        judge_version=JUDGE_VERSION,
        seeds=run.config.final_seeds,
        wanted=tuple(trial.number for trial in finalists),
        versions=versions(),
    )

"""A study from its configuration to its exports, or to what it would cost, for the command line and for programs."""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, final

import optuna

from dashboards.note_saving import save_study_notes
from dashboards.picture_titles import is_contact_sheet, is_scout_sheet
from dashboards.study_sheet import study_contact_sheet
from groundwork.output_files import free_path
from groundwork.whole_files import write_whole
from measures.versions import JUDGE_VERSION
from studies.records.exports import is_export, write_exports
from studies.records.summaries import StudySummary, summarise
from studies.storage.addresses import storage_files
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import StudyConfig
from tuner.converting.family_words import loss_in_words
from tuner.error_messages import explain
from tuner.installation import environment
from tuner.running.finals.final import begin_final, keep_final_sheet, run_final
from tuner.running.observer import SilentObserver, StudyObserver
from tuner.running.own_scout import require_own_scout
from tuner.running.preparation import prepare
from tuner.running.request import StudyRequest, finished_trials, has_start, missing_final_runs, wanted_widening
from tuner.running.setup import baseline_parameters, default_study_name, start_or_resume, unused_name
from tuner.running.shared_work import SharedWork
from tuner.running.stopping import SECONDS_PER_MINUTE, TimeLimit
from tuner.running.study_run import StudyRun
from tuner.running.widened_study import open_widened
from tuner.running.winners import chosen_winners
from tuner.running.workers.worker_places import find_places
from tuner.search.study_pictures import StudyPictures

if TYPE_CHECKING:
    from tuner.running.estimation import Estimate, Pace
    from tuner.running.planning import Plan
    from tuner.running.workers.cluster import Cluster


@final
@dataclass(frozen=True, kw_only=True)
class StudyEstimate:
    """What a wanted study would cost.

    Attributes:
        name: What it is, or would be, called.
        num_trials: Its trials.
        num_images: Images that each is trained on.
        cost: What they cost at most.
        start: What they start from: "noise", "starter" or "scout".
        start_images: Images that this is trained on before them; 0 of noise, or if it is trained already.
        num_finished: How many of them are finished; None if there is no such study yet, or only the rest is counted.
        plan: What fits into the time of a run; None where that has no end.
        num_final_runs: Runs of its final that are to be trained, of as many images; 0 where it has none or they are.
        stop_images: Images after which its trials end; the final comes on top. None where they do not count.
    """

    name: str
    num_trials: int
    num_images: int
    start: str
    start_images: int
    cost: "Estimate"
    num_finished: int | None
    plan: "Plan | None" = None
    num_final_runs: int = 0
    stop_images: int | None = None


@final
@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """What a study that has its trials gave.

    Attributes:
        name: Its name.
        uuid: What it is, however it will be called.
        place: Its storage as it may be shown.
        summary: Its trials.
        exports: The best weights' configs; none where no output was asked for.
        sheet: The contact sheet; None where no output was asked for.
        scout_sheet: The sheet of its scout; None also where it has none.
        final_sheet: The sheet of its final; None also where it has none, or not all of its runs yet.
        stopped: Why it ended before it had its trials; None where it has them.
        final_error: Why its final failed, so that the search alone says what is best; None where it did not.
    """

    name: str
    uuid: str
    place: str
    summary: StudySummary
    exports: tuple[Path, ...]
    sheet: Path | None
    scout_sheet: Path | None = None
    final_sheet: Path | None = None
    stopped: str | None = None
    final_error: str | None = None


def estimate_study(
    request: StudyRequest, *, say: Callable[[str], None], shared: SharedWork | None = None
) -> StudyEstimate:
    """Check everything that a study needs and estimate its cost, of a wider one that of the rest; changes nothing.

    Args:
        request: The study.
        say: Told in a few words what is being done.
        shared: What was found and measured for studies of other styles already.

    Raises:
        ConfigError: The configuration, or where results shall go, cannot be used; or its tables have no room.
        StudyError: A study of this name has another configuration, other pictures or another scout, or its starter's
            file is gone or damaged.
        WideningError: The study shall be widened and has no best trial near an end.
        WorkerError: The cluster cannot be used.
    """
    began = time.time()
    shared = shared or SharedWork()
    config, pictures = prepare(request, say=say, shared=shared)
    with _joined_cluster(request):
        pass  # it has what is wanted
    if request.widen:
        widening = wanted_widening(request, config, pictures)
        say(widening.in_words())
        # Those that are taken over may go into its final, too.
        num_final_runs = widening.config.num_final_runs
        config, num_finished, has_all = widening.config_of_rest(), None, False
    else:
        num_finished = finished_trials(request, config, pictures)
        num_missing, is_final_begun = missing_final_runs(request, config, pictures)
        has_all = (num_finished or 0) >= config.num_trials if request.ends_at_total else is_final_begun
        num_final_runs = num_missing if has_all else config.num_final_runs
    # Where a wider study begins, what its trials start from is there; one that is done needs it no more.
    needs_start = not request.widen and ((num_finished or 0) < config.num_trials or not request.ends_at_total)
    start_images = config.start_images if needs_start and not has_start(request, config, pictures) else 0
    _check_networks(config)
    cost = shared.pace(config, pictures, report=say).cost(
        config, trains_start=start_images > 0, num_final_runs=num_final_runs
    )
    is_begun = request.widen or bool(num_finished)
    plan = (
        _plan(request, config, cost, began=began, is_begun=is_begun)
        if config.search.stop.minutes is not None and not has_all
        else None
    )
    return StudyEstimate(
        name=request.name or default_study_name(config, pictures),
        num_trials=config.most_whole_trials,
        num_images=config.rungs[-1],
        start=config.search.start,
        start_images=start_images,
        cost=cost,
        num_finished=num_finished,
        plan=plan,
        num_final_runs=num_final_runs,
        stop_images=config.search.stop.images,
    )


def run_study(
    request: StudyRequest,
    *,
    observer: StudyObserver | None = None,
    shared: SharedWork | None = None,
    earlier: Sequence[StudySummary] = (),
) -> StudyResult:
    """Start or resume a study and run it until it has its trials or is stopped, then its final, if it shall have one.

    One that has both is answered at once.

    Args:
        request: The study.
        observer: Told what happens.
        shared: What was found, loaded and compiled for studies of other styles already.
        earlier: These studies, whose best settings it begins with if it is new.

    Raises:
        ConfigError: The configuration, or where results shall go, cannot be used; or the time is too short.
        OutputError: Results cannot be written there.
        ImageError: The style image cannot be used.
        PhotosError: There are too few photos.
        StudyError: A study of this name has another configuration, other pictures, another scale or another scout.
        ScoutError: The scout is another study's.
        DivergedError: What its trials start from diverged.
        WideningError: The study shall be widened and has no best trial near an end.
        StorageError: The storage cannot be written.
        WorkerError: All workers ended before the study had its trials, or the cluster cannot be used.
        KeyboardInterrupt: After the running trial has been given back; within the final after what the search found has
            been written.
    """
    began = time.time()
    observer, shared = observer or SilentObserver(), shared or SharedWork()
    config, pictures = prepare(request, say=observer.say, shared=shared)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    widening = wanted_widening(request, config, pictures) if request.widen else None
    num_known = (finished_trials(request, config, pictures) or 0) if widening is None else widening.num_finished
    limit = None
    if widening is None and not request.ends_at_total and missing_final_runs(request, config, pictures)[1]:
        observer.say("A final was begun: it is finished first, and the same command goes on with trials after it")
        request, config = replace(request, counts_trials=True), _with_trials(config, num_known)
    has_trials_to_run = widening is not None or not request.ends_at_total or num_known < config.num_trials
    if has_trials_to_run:
        _check_networks(config)
        _say_all(loss_in_words(config), observer)
        if config.search.stop.minutes is not None:
            pace = shared.pace(config, pictures, report=observer.say)
            config, plan = _plan_run(request, config, pictures, pace=pace, began=began, num_known=num_known)
            observer.say(plan.in_words())
            limit = plan.limit()
    elif minutes := config.search.stop.minutes:
        limit = TimeLimit(began=began, until=began + minutes * SECONDS_PER_MINUTE)
    # One that has its trials is answered, or has its final trained here, whether the cluster is there or not.
    joined = _joined_cluster(request) if has_trials_to_run else nullcontext(None)
    with joined as cluster, StudyStorage.create(request.storage) as storage:
        if widening is None:
            run = _open_study(storage, request, config, pictures, earlier)
        else:
            run = open_widened(storage, widening, pictures, judge_version=JUDGE_VERSION)
            observer.say(replace(widening, name=run.name).in_words())
        if beyond := config.trials_beyond_grid:
            observer.say(f"`search.grid` has no point for {beyond} of the trials: random settings are drawn for them")
        run = replace(run, limit=limit, counts_trials=request.ends_at_total)
        observer.on_study(run.name, storage.name)
        if request.scout is not None:
            require_own_scout(storage, run.name, request.scout)
        _run_trials(run, request, observer, shared=shared, cluster=cluster)
        if config.num_final_runs:
            shared.release()  # the final has its own beside which these would lie unused
        stopped = run.standing().stop
        if stopped is not None:
            observer.say(f"Stopped: {stopped}.")
        return replace(_with_final(run, observer, output=request.output), stopped=stopped)


def _plan_run(
    request: StudyRequest, config: StudyConfig, pictures: StudyPictures, *, pace: "Pace", began: float, num_known: int
) -> tuple[StudyConfig, "Plan"]:
    """Find what fits into a run's minutes; return the configuration with so many trials, unless these count."""
    trains_start = config.search.start != "noise" and not has_start(request, config, pictures) and not request.widen
    cost = pace.cost(config, trains_start=trains_start)
    plan = _plan(request, config, cost, began=began, is_begun=num_known > 0)
    if plan.num_trials is not None and not request.ends_at_total:
        config = _with_trials(config, num_known + plan.num_trials)
    return config, plan


def _plan(request: StudyRequest, config: StudyConfig, cost: "Estimate", *, began: float, is_begun: bool) -> "Plan":
    from tuner.running.planning import plan_time, plan_time_apart

    if request.cluster is not None:
        return plan_time_apart(config, cost, began=began)
    places = find_places(request.workers)
    if places.gpus and not environment.sees_gpus():
        places = replace(places, gpus=())
    return plan_time(config, cost, began=began, is_begun=is_begun, places=places)


def _say_all(lines: Iterable[str], observer: StudyObserver) -> None:
    for line in lines:
        observer.say(line)


def _with_trials(config: StudyConfig, num_trials: int) -> StudyConfig:
    trials = num_trials + config.start_price
    return config.model_copy(update={"search": config.search.model_copy(update={"trials": trials})})


def _check_networks(config: StudyConfig) -> None:
    environment.load_networks()
    from tuner.configuration.network_checks import check_networks

    check_networks(config)


def _open_study(
    storage: StudyStorage,
    request: StudyRequest,
    config: StudyConfig,
    pictures: StudyPictures,
    earlier: Sequence[StudySummary],
) -> StudyRun:
    name = request.name or default_study_name(config, pictures)
    if request.new:
        name = unused_name(storage, name)
    study = start_or_resume(
        storage,
        name,
        config=config,
        pictures=pictures,
        judge_version=JUDGE_VERSION,
        winners=chosen_winners(earlier, config, baseline=baseline_parameters(config)),
    )
    return StudyRun(storage=storage, uuid=uuid_of(study), config=config, pictures=pictures)


@contextmanager
def _joined_cluster(request: StudyRequest) -> Iterator["Cluster | None"]:
    """Connect to the cluster that is wanted; None where none is."""
    if request.cluster is None:
        yield None
        return
    from tuner.running.workers.cluster import connected

    with connected(request.cluster, request.storage) as cluster:
        yield cluster


def _run_trials(
    run: StudyRun, request: StudyRequest, observer: StudyObserver, *, shared: SharedWork, cluster: "Cluster | None"
) -> None:
    if not run.is_done():
        is_alone = request.workers == 1 and cluster is None
        # What this process loads is not held while others work.
        _settle_start(run, request, observer, shared=shared if is_alone else SharedWork())
        if cluster is not None:
            cluster.run(run, observer)
        elif is_alone:
            environment.load_networks()
            from tuner.running.workers.in_process import run_here
            from tuner.running.workers.watchdog import end_process, warn_of_hang

            on_hang = functools.partial(end_process, status=1) if request.owns_process else warn_of_hang
            run_here(run, observer, shared=shared, on_hang=on_hang)
        else:
            from tuner.running.workers.worker_processes import run_in_processes

            run_in_processes(run, request.workers, observer)
    if cluster is not None:
        cluster.leave()  # a final is trained here


def _settle_start(run: StudyRun, request: StudyRequest, observer: StudyObserver, *, shared: SharedWork) -> None:
    """Train what trials start from, if it is not there."""
    if run.config.search.start == "scout":
        environment.load_networks()
        from tuner.running.scouted_run import settle_scout

        settle_scout(run, given=request.scout, observer=observer)
    elif run.config.search.start == "starter":
        environment.load_networks()
        from tuner.running.started_run import settle_starter

        settle_starter(run, observer=observer, shared=shared)


def _with_final(run: StudyRun, observer: StudyObserver, *, output: Path | None) -> StudyResult:
    """Conclude the search, train its final and conclude that; a final that fails takes nothing from the search."""
    begun = begin_final(run)
    result = _conclude(run, output=output)
    if begun is None or not (begun.missing or begun.needs_sheet(run.storage.artifacts.has)):
        return result
    try:
        if begun.missing:
            run_final(run, begun, observer)
    except Exception as error:  # whatever it is, the search has its result
        told, _ = explain(error)
        reason = told.splitlines()[0]
        observer.say(
            f"The final failed, and what the search found stands: {reason} The same command tries again; with "
            "--finalists 1 the study has none"
        )
        return replace(_conclude(run, output=output), final_error=reason)
    keep_final_sheet(run, begun, observer)
    return _conclude(run, output=output)


def _conclude(run: StudyRun, *, output: Path | None) -> StudyResult:
    storage, name = run.storage, run.name
    save_study_notes(storage, name)
    summary = summarise(storage, name)
    if output is None:
        return StudyResult(name=name, uuid=run.uuid, place=storage.name, summary=summary, exports=(), sheet=None)
    kept = storage_files(storage.url)
    exports = write_exports(storage, name, free_path(output / f"{name}.yaml", is_ours=is_export, kept=kept))
    sheet = free_path(output / f"{name}.png", is_ours=is_contact_sheet, kept=kept)
    write_whole(sheet, study_contact_sheet(storage, summary))

    def write(artifact: str | None, what: str, is_ours: Callable[[Path], bool]) -> Path | None:
        if artifact is None or not storage.artifacts.has(artifact):
            return None
        path = free_path(output / f"{name}.{what}.png", is_ours=is_ours, kept=kept)
        write_whole(path, storage.artifacts.read(artifact))
        return path

    final = summary.record.final
    return StudyResult(
        name=name,
        uuid=run.uuid,
        place=storage.name,
        summary=summary,
        exports=tuple(exports),
        sheet=sheet,
        scout_sheet=write(summary.record.scout_sheet, "scout", is_scout_sheet),
        final_sheet=write(None if final is None else final.sheet, "final", is_contact_sheet),
    )

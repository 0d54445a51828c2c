"""A trial's own short run once more: its network, and a quality to compare with the study's."""

import shlex
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from groundwork.file_hashes import sha256_of
from measures.sampled_values import SampledValues
from measures.versions import JUDGE_VERSION
from studies.records.exported_config import SCOUT_FIELD, STARTER_FIELD, ExportedConfig
from tuner.checkpointed.training_watch import check_finite, divergence_explained, losses_line
from tuner.configuration.identity import digest
from tuner.errors import ConfigError, NetworkFileError
from tuner.finished.saving import save_network
from tuner.finished.starting_network import starting_weights
from tuner.finished.training_plan import TrainingPlan
from tuner.scouting.scout_files import read_scout_record
from tuner.search.resources import StudyResources
from tuner.search.study_pictures import StudyPictures, open_pictures
from tuner.search.study_scale import SettleScale, as_measured, require_same_scale, scale_of


def repeat_trial(plan: TrainingPlan, *, report: Callable[[str], None]) -> float:
    """Train just as the study's trial did, as far as it came, save the network, and score it on the rung photos.

    Returns:
        The quality, in [0, 1], which equals the trial's on the same machine, with the same version of the judge.

    Raises:
        ConfigError: The photos are not the study's, or the trial was not scored at one of the study's rungs.
        OutputError: The output is another training's network.
        DivergedError: The loss is not finite any more.
        NetworkFileError: The study's trials start from another scout or starter, or one is given and they start from
            noise.
        ScoutError: The scout that is given is none, or its record is gone.
    """
    weights = _initial_weights(plan)
    pictures = open_pictures(plan.config)
    rungs = _trial_rungs(plan, pictures)
    identity = digest({"repeated": rungs, "judge": JUDGE_VERSION, "training": plan.identity(pictures)})
    finished = plan.files.finished(identity=identity, images=rungs[-1])
    if plan.exported.judge_version != JUDGE_VERSION:
        report(
            f"The judge is version {JUDGE_VERSION}, the trial was scored by version {plan.exported.judge_version}: "
            "the two qualities cannot be compared."
        )
    if finished is not None:
        report(f"{plan.files.network} is finished already, by this very run.")
        return float(finished["quality"])
    return _repeat(plan, pictures, rungs=rungs, identity=identity, report=report, weights=weights)


def _repeat(
    plan: TrainingPlan,
    pictures: StudyPictures,
    *,
    rungs: list[int],
    identity: str,
    report: Callable[[str], None],
    weights: Sequence[NDArray[np.float32]] | None,
) -> float:
    resources = StudyResources(plan.config, pictures, report=report, settle=_settle_as_exported(plan.exported))
    resources.start(SampledValues.of_weights(plan.weights), weights=weights)
    seen = 0
    with divergence_explained(plan.files.checkpoint, lower=plan.what_to_lower):
        for rung in rungs:
            losses = resources.trainer.train(resources.batches(seen, rung))
            seen = rung
            report(losses_line(seen, rungs[-1], losses))
        check_finite(resources.trainer)
    quality = resources.rung.judge.score(list(resources.paint())).quality
    save_network(
        plan, resources.trainer, references=resources.scale.references, identity=identity, images=seen, quality=quality
    )
    return quality


def _initial_weights(plan: TrainingPlan) -> list[NDArray[np.float32]] | None:
    """Return what the trial's network began with; None where that was noise."""
    exported, start, kind = plan.exported, plan.start, plan.config.search.start
    field = {"scout": SCOUT_FIELD, "starter": STARTER_FIELD}.get(kind)
    wanted = None if field is None else exported.identity.get(field)
    if wanted is None:
        if start is not None:
            raise NetworkFileError(f"The trials of study {exported.study!r} start from noise. Leave --from out.")
        return None
    if start is None:
        raise NetworkFileError(
            f"The trials of study {exported.study!r} start from its {kind}. Write that with `styletuner study export "
            f"{shlex.quote(exported.study)} --{kind} {kind}.keras`, and name it with --from."
        )
    found = read_scout_record(start).network_sha256 if kind == "scout" else sha256_of(start)
    if found != wanted:
        raise NetworkFileError(
            f"`--from` {start} is not the {kind} that the trials of study {exported.study!r} start from."
        )
    return starting_weights(start, plan.config, plan.weights)


def _settle_as_exported(exported: ExportedConfig) -> SettleScale:
    """Divide the losses by what the study divided them by."""
    owner = f"Study {exported.study!r} ({exported.path})"
    stored = scale_of(exported.references, exported.identity.get("loss_network"), owner=owner)
    return as_measured if stored is None else partial(require_same_scale, stored, owner=owner)


def _trial_rungs(plan: TrainingPlan, pictures: StudyPictures) -> list[int]:
    """Return the rungs that the exported trial reached."""
    exported = plan.exported
    if exported.identity.get("photos_digest") != pictures.collection.digest:
        raise ConfigError(
            f"The photos are not those of study {exported.study!r} ({exported.path}). "
            "--repeat-trial needs the same: put them back, or name them with --photos."
        )
    rungs = [rung for rung in plan.config.rungs if rung <= exported.images_seen]
    if not rungs or rungs[-1] != exported.images_seen:
        known = ", ".join(map(str, plan.config.rungs))
        raise ConfigError(
            f"`images_seen` in {exported.path} must be one of the rungs {known}. Received {exported.images_seen}. "
            "Export the trial again."
        )
    return rungs

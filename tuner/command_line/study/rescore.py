"""`styletuner study rescore`: an old study's kept outputs, scored by the installed judge."""

import json
import shlex
from typing import TYPE_CHECKING, Any, Final

import click

from studies.records.trial_words import listed_trials, state_word
from tuner.command_line.options import storage_option, storage_words

if TYPE_CHECKING:
    from tuner.rescoring.comparison import ComparedTrial, Comparison
    from tuner.rescoring.rescoring import Rescoring

SHOWN_TRIALS: Final = 10


@click.command(epilog="Example: styletuner study rescore quick-starry_night-1a2b3c")
@click.argument("name")
@click.option("--name", "target_name", metavar="NEW", help="The new study's name.  [default: NAME-judge-VERSION]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@storage_option
def rescore(name: str, target_name: str | None, as_json: bool, storage: str) -> None:
    """Score the outputs that a study keeps with the installed judge, without training.

    The new scores go into a study of their own; study NAME stays as it is, and scores of two judges are never ranked
    together. Run the same command again to go on after an interrupt.
    """
    import optuna

    from measures.versions import JUDGE_VERSION
    from studies.storage.study_storage import StudyStorage
    from tuner.command_line.counted_progress import CountedProgress
    from tuner.rescoring.rescoring import rescore_study

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with CountedProgress("re-scoring", things="trials") as progress, StudyStorage.open(storage) as studies:
        done = rescore_study(studies, name, judge_version=JUDGE_VERSION, target_name=target_name, report=progress.show)
    if as_json:
        click.echo(json.dumps(_as_dict(done), indent=2))
    else:
        _echo(done, storage=storage)


def _as_dict(done: "Rescoring") -> "dict[str, Any]":
    from tuner.rescoring.comparison import compare

    source, target = done.source, done.target
    found: dict[str, Any] = {
        "study": source.name,
        "uuid": source.uuid,
        "judge_version": source.record.judge_version,
        "rescored": None,
    }
    if target is None:
        return found
    rescored = {"study": target.name, "uuid": target.uuid, "judge_version": target.record.judge_version}
    return {
        **found,
        "rescored": rescored,
        "was_done": done.was_done,
        "answers_carried_over": done.num_answers,
        "notes": list(done.notes),
        **compare(source, target).as_dict(),
    }


def _echo(done: "Rescoring", *, storage: str) -> None:
    from tuner.installation.environment import own_command
    from tuner.rescoring.comparison import compare

    source, target = done.source, done.target
    if target is None:
        click.echo(f"{source.name} has judge version {source.record.judge_version} already.")
        return
    comparison = compare(source, target)
    for note in (*done.notes, *_left_out(comparison)):
        click.echo(note, err=True)
    versions = f"judge version {target.record.judge_version} (it had {source.record.judge_version or 'none'})"
    told = "has already been re-scored" if done.was_done else "re-scored"
    click.echo(f"{source.name} {told} as {target.name}, by {versions}")
    if done.num_answers:
        click.echo(f"{done.num_answers} choice{'' if done.num_answers == 1 else 's'} of people carried over")
    _echo_table(comparison)
    command, name, suffix = own_command(), shlex.quote(target.name), storage_words(storage)
    click.echo(f"See them all:  {command} study show {name}{suffix}")
    click.echo(f"Run more:      {command} study run ... --name {name}{suffix}")


def _left_out(comparison: "Comparison") -> list[str]:
    return [
        f"Without a new quality: {listed_trials(numbers)}: {reason or 'they kept no outputs'}."
        for reason, numbers in comparison.left_out.items()
    ]


def _echo_table(comparison: "Comparison") -> None:
    """The best trials by the new judge, with what they were by the old one."""
    ranked = [trial for trial in comparison.trials if trial.new_rank is not None]
    if ranked:
        click.echo("trial  state     old quality  new quality  old rank  new rank")
    for trial in ranked[:SHOWN_TRIALS]:
        click.echo(_row(trial))
    if len(ranked) > SHOWN_TRIALS:
        click.echo(f"and {len(ranked) - SHOWN_TRIALS} more")
    if comparison.kendall_tau is not None:
        click.echo(
            f"Kendall's tau of the two orders: {comparison.kendall_tau:.2f}, over {comparison.num_correlated} complete "
            "trials"
        )


def _row(trial: "ComparedTrial") -> str:
    old, new = ("-" if quality is None else f"{quality:.3f}" for quality in (trial.old_quality, trial.new_quality))
    old_rank = "-" if trial.old_rank is None else trial.old_rank
    return f"{trial.number:>5}  {state_word(trial.state):<8}  {old:>11}  {new:>11}  {old_rank:>8}  {trial.new_rank:>8}"

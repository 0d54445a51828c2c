"""Whether two databases hold the same study: the same trials, weights and qualities, trial by trial.

    .venv/bin/python benchmarks/same_trials.py before.db after.db

Run one study twice, with two versions of the code, each into a database of its own; one study a database. Reads
Optuna's own tables alone, so that a database of any version can be compared. Prints the largest difference of each
kind of number, and ends with status 1 where one is above the tolerance.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping

import optuna

KINDS = ("params", "weights", "parts")
ENDED = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    arguments = parser.parse_args()
    before, after = (read_trials(path) for path in (arguments.before, arguments.after))
    faults = [f"trials {sorted(before)} against {sorted(after)}"] if before.keys() != after.keys() else []
    largest: dict[str, float] = defaultdict(float)
    for number in sorted(before.keys() & after.keys()):
        one, other = (dict(numbers_of(trials[number])) for trials in (before, after))
        if one.keys() != other.keys():
            faults.append(f"trial {number}: {sorted(map(str, one.keys() ^ other.keys()))} in one of them only")
        for kind, name in one.keys() & other.keys():
            largest[kind] = max(largest[kind], abs(one[kind, name] - other[kind, name]))
    print(f"{len(before)} trials\n\n| number | largest difference |\n|---|---|")
    for kind, difference in sorted(largest.items()):
        print(f"| {kind} | {difference:.2e} |")
        if not difference <= arguments.tolerance:
            faults.append(f"{kind} differ by {difference:.2e}")
    if faults:
        sys.exit("\n".join(["", "Not the same:", *faults]))
    print("\nThe same.")


def read_trials(path: str) -> Mapping[int, optuna.trial.FrozenTrial]:
    """Complete and pruned trials by number."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}", skip_compatibility_check=True)
    (name,) = optuna.get_all_study_names(storage)
    trials = optuna.load_study(study_name=name, storage=storage).get_trials(states=ENDED)
    return {trial.number: trial for trial in trials}


def numbers_of(trial: optuna.trial.FrozenTrial) -> Iterator[tuple[tuple[str, str], float]]:
    """Every number that matters, by kind and name."""
    yield ("state", ""), float(trial.state is ENDED[0])
    for step, quality in trial.intermediate_values.items():
        yield ("quality at a rung", str(step)), quality
    for place, value in enumerate(trial.values or ()):
        yield ("value", str(place)), value
    groups = {"params": trial.params, **{kind: trial.user_attrs.get(kind, {}) for kind in KINDS[1:]}}
    for kind, group in groups.items():
        for name, value in flat(group):
            yield (kind, name), value


def flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, prefix=f"{prefix}{name}.")
        elif isinstance(value, int | float):
            yield f"{prefix}{name}", float(value)


if __name__ == "__main__":
    main()

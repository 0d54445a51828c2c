"""What whole studies choose, and what that is worth in a long run: into benchmarks/fidelity_studies.csv.

    .venv/bin/python benchmarks/fidelity_studies.py --styles styles/ --photos photos/ --folder runs/ --only edtaonisl

For each style and way one study of sixteen short runs at 64 px, over the ranges of fidelity_runs.py: `noise` as
`styletuner study run` does it, `scout` as with --scout, whose scout is worth four of them. Then what leads after a
quarter of the budget, after half and at the end is trained from noise to the end of the long runs, on their crops. A
study that is in the table is not run again; an interrupted one goes on. The table's last column is empty but for the
trials that led.

Rows of `scout_near` are of --scout as it was once: suggestions lay apart in either ratio alike, which often meant one
style : content three times.
"""

import argparse
from pathlib import Path

from fidelity_runs import RUNGS, SCALES, SHORT_RUN, STYLE_TO_CONTENT, TV_TO_CONTENT, Row, append, read_table

from tuner.installation.environment import load_networks

TABLE = Path(__file__).with_name("fidelity_studies.csv")
WAYS = ("noise", "scout")
NUM_TRIALS = 16
SCOUT_IMAGES = 2560
SHARES = (0.25, 0.5, 1.0)
"""Of the budget, after which what leads is looked at."""
COLUMNS = (
    *("judge_version", "scale", "style", "way", "seed", "trial", "origin", "state"),
    *("style_to_content", "tv_to_content", "images_seen", "images_in_all", "foretold", "quality", "long_run"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("styles", "photos", "folder"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--only", nargs="+", metavar="STYLE", required=True, help="styles by their files' stems")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the studies' samplers; crops stay those of the long runs"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    load_networks()
    from measures.versions import JUDGE_VERSION

    for style in arguments.only:
        for way in WAYS:
            key = (JUDGE_VERSION, "64", style, way, str(arguments.seed))
            if key not in {
                (row["judge_version"], row["scale"], row["style"], row["way"], row["seed"]) for row in read()
            }:
                append(_study(style, way, arguments), table=TABLE, columns=COLUMNS)


def read() -> list[Row]:
    """Return the rows of the table; none if there is no table yet."""
    return read_table(TABLE)


def leaders(rows: list[Row]) -> dict[float, Row]:
    """Return what leads of a study's complete trials after each of `SHARES` of its budget, if any is complete then."""
    found: dict[float, Row] = {}
    for share in SHARES:
        done = [row for row in rows if int(row["images_in_all"]) <= share * NUM_TRIALS * SHORT_RUN]
        complete = [row for row in done if row["state"] == "COMPLETE"]
        if complete:
            found[share] = max(complete, key=lambda row: float(row["quality"]))
    return found


def _study(style: str, way: str, arguments: argparse.Namespace) -> list[Row]:
    from measures.versions import JUDGE_VERSION
    from tuner.configuration.loading import merge, validate_config
    from tuner.running.request import StudyRequest
    from tuner.running.run_study import run_study

    path = next(path for path in arguments.styles.iterdir() if path.stem == style)
    given = {
        "style": str(path),
        "photos": [str(arguments.photos)],
        "seed": arguments.seed,
        "training": {"images": SHORT_RUN},
        "search": {
            "start": way,
            "trials": NUM_TRIALS,
            "style_to_content": STYLE_TO_CONTENT,
            "tv_to_content": TV_TO_CONTENT,
        },
        "scout": {"images": SCOUT_IMAGES},
    }
    config = validate_config(merge(SCALES["64"], given), source="fidelity_studies")
    name = f"{style}-{way}-seed{arguments.seed}"
    request = StudyRequest(config=config, storage=str(arguments.folder / "studies.db"), name=name)
    summary = run_study(request).summary
    seen = SCOUT_IMAGES if way == "scout" else 0
    rows = []
    for trial in summary.trials:
        if trial.state not in ("COMPLETE", "PRUNED"):
            continue
        seen += trial.images_seen or 0
        origin = "baseline" if trial.is_baseline else "sampled" if trial.foretold is None else "suggested"
        values = {
            "judge_version": JUDGE_VERSION,
            "scale": "64",
            "style": style,
            "way": way,
            "seed": arguments.seed,
            "trial": trial.number,
            "origin": origin,
            "state": trial.state,
            **{ratio: f"{trial.params[ratio]:.5g}" for ratio in ("style_to_content", "tv_to_content")},
            "images_seen": trial.images_seen,
            "images_in_all": seen,
            "foretold": "" if trial.foretold is None else f"{trial.foretold:.5f}",
            "quality": f"{trial.quality:.5f}",
            "long_run": "",
        }
        rows.append({column: str(value) for column, value in values.items()})
        print(*rows[-1].values(), flush=True)
    _train_leaders(rows, path, arguments)
    return rows


def _train_leaders(rows: list[Row], style: Path, arguments: argparse.Namespace) -> None:
    from measures.sampled_values import SampledValues
    from tuner.configuration.loading import validate_config
    from tuner.search.resources import StudyResources
    from tuner.search.study_pictures import open_pictures

    values = {**SCALES["64"], "style": str(style), "photos": [str(arguments.photos)], "seed": 0}
    config = validate_config(values, source="fidelity_studies")
    resources = StudyResources(config, open_pictures(config), report=lambda _: None)
    for row in {row["trial"]: row for row in leaders(rows).values()}.values():
        ratios = {name: float(row[name]) for name in ("style_to_content", "tv_to_content")}
        resources.start(SampledValues.from_dict(ratios))
        _, outputs = resources.train_and_paint(0, RUNGS["64"][-1])
        row["long_run"] = f"{resources.rung.judge.score(list(outputs)).quality:.5f}"
        print(row["style"], row["way"], "trial", row["trial"], "long run", row["long_run"], flush=True)


if __name__ == "__main__":
    main()

"""What whole studies choose, and what that is worth in a long run: into benchmarks/fidelity_studies.csv.

    .venv/bin/python benchmarks/fidelity_studies.py --styles styles/ --photos photos/ --folder runs/ --only edtaonisl

For each style and way one study of sixteen short runs at 64 px (with `--scale 96` at 96 px), over the ranges of
fidelity_runs.py: `noise`; `scout` as with --start scout, whose scout is worth four of them; `starter` as with --start
starter, which is worth one. Then what leads at the end (at 64 px from noise and a scout also after a quarter of the
budget and after half), and the baseline, is trained from noise to the end of the long runs (at 96 px to their half), on
their crops; what leads at the end and the baseline once more with the second seed of those. With `--seed` another study
has its own draws and, as a user's would, its own held-out photos, crops and initial weights. What is in the table is
not run again; an interrupted study goes on. The table's last two columns are empty but for these trials.

Rows of `scout_near` are of --scout as it was once: suggestions lay apart in either ratio alike, which often meant one
style : content three times.
"""

import argparse
import csv
import io
from collections.abc import Mapping
from pathlib import Path

from fidelity_runs import (
    RUNGS,
    SCALES,
    SECOND_SEED,
    SHORT_RUNS,
    STYLE_TO_CONTENT,
    TV_TO_CONTENT,
    Row,
    append,
    read_table,
)

from groundwork.whole_files import write_whole
from tuner.installation.environment import load_networks

TABLE = Path(__file__).with_name("fidelity_studies.csv")
WAYS = ("noise", "scout", "starter")
LONG_RUN_IMAGES = {"64": RUNGS["64"][-1], "96": RUNGS["96"][-2]}
"""Eight times a short run, and at 96 px four times: two seeds so long cost as much as one twice as long."""
LED_EARLY = ("noise", "scout")
"""Ways of whose studies at 64 px also what leads earlier is trained for long."""
NUM_TRIALS = 16
SHARES = (0.25, 0.5, 1.0)
"""Of the budget, after which what leads is looked at."""
RATIOS = ("style_to_content", "tv_to_content")
LONG_RUNS = ("long_run", "second_long_run")
COLUMNS = (
    *("judge_version", "scale", "style", "way", "seed", "trial", "origin", "state"),
    *RATIOS,
    *("images_seen", "images_in_all", "foretold", "quality"),
    *LONG_RUNS,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("styles", "photos", "folder"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--only", nargs="+", metavar="STYLE", required=True, help="styles by their files' stems")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="those of these ways alone")
    parser.add_argument("--scale", choices=SCALES, default="64", help="side of the crops in pixels")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the studies: draws, photos held out, crops; long runs keep theirs"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    load_networks()
    from measures.versions import JUDGE_VERSION

    for style in arguments.only:
        for way in arguments.ways:
            key = (JUDGE_VERSION, arguments.scale, style, way, str(arguments.seed))
            if key not in {
                (row["judge_version"], row["scale"], row["style"], row["way"], row["seed"]) for row in read()
            }:
                append(_study(style, way, arguments), table=TABLE, columns=COLUMNS)
    for column, seed in zip(LONG_RUNS, (0, SECOND_SEED), strict=True):
        for style in arguments.only:
            _train_long(style, arguments, column=column, seed=seed)


def read() -> list[Row]:
    """Return the rows of the table; none if there is no table yet."""
    return read_table(TABLE)


def leaders(rows: list[Row]) -> dict[float, Row]:
    """Return what leads of a study's complete trials after each of `SHARES` of its budget, if any is complete then."""
    found: dict[float, Row] = {}
    for share in SHARES:
        done = [row for row in rows if int(row["images_in_all"]) <= share * NUM_TRIALS * SHORT_RUNS[row["scale"]]]
        complete = [row for row in done if row["state"] == "COMPLETE"]
        if complete:
            found[share] = max(complete, key=lambda row: float(row["quality"]))
    return found


def _train_long(style: str, arguments: argparse.Namespace, *, column: str, seed: int) -> None:
    """Fill a column of long runs, where a style's studies lack one."""
    table = read()
    runs = None
    for way in arguments.ways:
        study = [
            row
            for row in table
            if (row["scale"], row["style"], row["way"], row["seed"])
            == (arguments.scale, style, way, str(arguments.seed))
        ]
        for row in _to_train_long(study, is_again=seed == SECOND_SEED) if study else []:
            if row[column]:
                continue
            ratios = {name: row[name] for name in RATIOS}
            twins = [
                twin
                for twin in table
                if all(twin[name] == row[name] for name in ("judge_version", "scale", "style"))
                and {name: twin[name] for name in RATIOS} == ratios
            ]
            score = next((twin[column] for twin in twins if twin[column]), None)
            if score is None:
                runs = runs or _LongRuns(_image(style, arguments), arguments, seed=seed)
                score = runs.score({name: float(value) for name, value in ratios.items()})
            for twin in twins:
                twin[column] = score
            _write(table)
            print(style, way, "trial", row["trial"], column, score, flush=True)


def _write(table: list[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_whole(TABLE, text.getvalue().encode())


def _to_train_long(study: list[Row], *, is_again: bool) -> list[Row]:
    found = leaders(study)
    is_last_alone = is_again or study[0]["way"] not in LED_EARLY or study[0]["scale"] != "64"
    led = [found[SHARES[-1]]] if is_last_alone else list(found.values())
    return led + [row for row in study if row["origin"] == "baseline"]


def _image(style: str, arguments: argparse.Namespace) -> Path:
    return next(path for path in arguments.styles.iterdir() if path.stem == style)


def _study(style: str, way: str, arguments: argparse.Namespace) -> list[Row]:
    from measures.versions import JUDGE_VERSION
    from tuner.configuration.loading import merge, validate_config
    from tuner.running.request import StudyRequest
    from tuner.running.run_study import run_study

    path = _image(style, arguments)
    given = {
        "style": str(path),
        "photos": [str(arguments.photos)],
        "seed": arguments.seed,
        "training": {"images": SHORT_RUNS[arguments.scale]},
        "search": {
            "start": way,
            "trials": NUM_TRIALS,
            "style_to_content": STYLE_TO_CONTENT,
            "tv_to_content": TV_TO_CONTENT,
        },
        "scout": {"images": 4 * SHORT_RUNS[arguments.scale]},
    }
    config = validate_config(merge(SCALES[arguments.scale], given), source="fidelity_studies")
    name = f"{style}-{arguments.scale}-{way}-seed{arguments.seed}"
    request = StudyRequest(config=config, storage=str(arguments.folder / "studies.db"), name=name)
    summary = run_study(request).summary
    seen = config.start_images
    rows = []
    for trial in summary.trials:
        if trial.state not in ("COMPLETE", "PRUNED"):
            continue
        seen += trial.images_seen or 0
        origin = "baseline" if trial.is_baseline else "sampled" if trial.foretold is None else "suggested"
        values = {
            "judge_version": JUDGE_VERSION,
            "scale": arguments.scale,
            "style": style,
            "way": way,
            "seed": arguments.seed,
            "trial": trial.number,
            "origin": origin,
            "state": trial.state,
            **{ratio: f"{trial.params[ratio]:.5g}" for ratio in RATIOS},
            "images_seen": trial.images_seen,
            "images_in_all": seen,
            "foretold": "" if trial.foretold is None else f"{trial.foretold:.5f}",
            "quality": f"{trial.quality:.5f}",
            **dict.fromkeys(LONG_RUNS, ""),
        }
        rows.append({column: str(value) for column, value in values.items()})
        print(*rows[-1].values(), flush=True)
    return rows


class _LongRuns:
    """Trains settings of one style from noise for long, as fidelity_runs.py does."""

    def __init__(self, style: Path, arguments: argparse.Namespace, *, seed: int = 0) -> None:
        from tuner.configuration.loading import validate_config
        from tuner.search.resources import StudyResources
        from tuner.search.study_pictures import open_pictures

        self._images = LONG_RUN_IMAGES[arguments.scale]
        values = {**SCALES[arguments.scale], "style": str(style), "photos": [str(arguments.photos)], "seed": 0}
        config = validate_config(values, source="fidelity_studies")
        pictures = open_pictures(config)
        # The seed moves crops, their order and the initial weights; the held-out photos stay.
        config = config.model_copy(update={"seed": seed})
        self._resources = StudyResources(config, pictures, report=lambda _: None)

    def score(self, ratios: Mapping[str, float]) -> str:
        """Return the quality that a setting comes to, as the table writes it."""
        from measures.sampled_values import SampledValues

        self._resources.start(SampledValues.from_dict(ratios))
        _, outputs = self._resources.train_and_paint(0, self._images)
        return f"{self._resources.rung.judge.score(list(outputs)).quality:.5f}"


if __name__ == "__main__":
    main()

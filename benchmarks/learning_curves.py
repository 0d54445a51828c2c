"""Scores every rung of the runs of `quality_runs.py`, as far as they are done, into benchmarks/learning_curves.csv.

    .venv/bin/python benchmarks/learning_curves.py --styles styles/ --runs quality_runs/

One row a run and rung: weights, seed, images seen, quality and its parts (means over 16 held-out photos) of what was
painted with the averaged weights, as studies do, the quality with the weights as trained, the mean losses since the
rung before, and the quality of each photo. So search methods can be replayed on real curves without a network.
Rows that the table has already, by the same version of the judge, are kept, also where the runs are gone; a new version
scores all of them again.
"""

import argparse
import csv
from pathlib import Path

from tuner.installation.environment import load_networks

TABLE = Path(__file__).with_name("learning_curves.csv")
PARTS = ("quality", "content_preservation", "style_match", "artefact_factor")
LOSSES = ("content", "style", "total_variation")
COLUMNS = (
    *("judge_version", "kind", "style", "setting", "style_to_content", "tv_to_content", "seed", "images_seen"),
    *PARTS,
    *("standard_error", "quality_as_trained"),
    *(f"{name}_loss" for name in LOSSES),
    *("photo_qualities",),
)


def read_table() -> list[dict[str, str]]:
    """Return the rows of the table; none if there is no table yet."""
    if not TABLE.exists():
        return []
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--styles", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    arguments = parser.parse_args()
    load_networks()
    from quality_runs import planned_runs

    from measures.versions import JUDGE_VERSION

    known = {_key(row): row for row in read_table() if row["judge_version"] == JUDGE_VERSION}
    rows: list[dict[str, str]] = []
    judges = {}
    for run in planned_runs():
        path = arguments.runs / run.file_name
        if run.size == "sweep":
            continue
        kept = [row for key, row in known.items() if key[:4] == (run.kind, run.style, str(run.number), str(run.seed))]
        if kept or path.exists():
            rows += kept or _score(path, run, judges, arguments)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} rows in {TABLE.name}")


def _key(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("kind", "style", "setting", "seed", "images_seen"))


def _score(path: Path, run: object, judges: dict, arguments: argparse.Namespace) -> list[dict[str, str]]:
    from quality_pictures import describe_run, read_run_pictures, rung_outputs

    from measures.versions import JUDGE_VERSION
    from models.pictures.images import read_image
    from objectives.judging.judge import Judge

    if run.style not in judges:
        photos, _ = read_run_pictures(arguments.runs, "curves", run.style)
        style = next(path for path in arguments.styles.iterdir() if path.stem == run.style)
        judges[run.style] = Judge(style=read_image(style), photos=photos)
    losses = describe_run(path)["losses"]
    as_trained = rung_outputs(path, painted="trained")
    rows = []
    for rung, outputs in rung_outputs(path).items():
        scored = judges[run.style].score(outputs)
        values = {
            "judge_version": JUDGE_VERSION,
            "kind": run.kind,
            "style": run.style,
            "setting": run.number,
            "style_to_content": f"{run.style_to_content:.5g}",
            "tv_to_content": f"{run.tv_to_content:.5g}",
            "seed": run.seed,
            "images_seen": rung,
            **{part: f"{getattr(scored, part):.5f}" for part in PARTS},
            "standard_error": f"{scored.standard_error:.5f}",
            "quality_as_trained": f"{judges[run.style].score(as_trained[rung]).quality:.5f}",
            **{f"{name}_loss": f"{losses[str(rung)][name]:.5g}" for name in LOSSES},
            "photo_qualities": " ".join(f"{photo.quality:.4f}" for photo in scored.photos),
        }
        rows.append({name: str(value) for name, value in values.items()})
    print(path.name, rows[-1]["quality"], flush=True)
    return rows


if __name__ == "__main__":
    main()

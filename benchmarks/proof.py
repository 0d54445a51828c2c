"""Do found weights beat the published ones where it counts, in longer training? Into benchmarks/proof.csv.

    .venv/bin/python benchmarks/proof.py --styles styles/ --photos photos/ --folder proof/ --only edtaonisl

For each style a study by the preset `quick`, its final included, finds weights. Then these, and the default weights of
each published trainer in that trainer's own loss (`--trainer`), are trained from noise four times as long as a trial:
the same style network, crops, order and initial weights, of a seed that no trial had. All are judged alike, on photos
that nobody trained on: those of the final (report), of which the winner was chosen among three, and others that decided
nothing at all (calibration).

What is in the table is not trained again; an interrupted study goes on. The folder keeps what was painted, and a sheet
for each style. Prints tables of what the newest judge says; an hour and a half a style on two cores.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fidelity_runs import Row, append, read_table
from quality_runs import as_bytes, keep_arrays

from groundwork.whole_files import write_whole
from measures.finals import t_quantile
from measures.long_runs import lead
from measures.published_trainers import TRAINERS, have_same_defaults
from tuner.installation.environment import load_networks

if TYPE_CHECKING:
    from measures.sampled_values import SampledValues
    from tuner.configuration.settings import StudyConfig
    from tuner.search.study_pictures import StudyPictures

TABLE = Path(__file__).with_name("proof.csv")
PRESET = "quick"
TIMES_LONGER = 4
FOUND = "found"
SEED_APART = 100
"""Added to a study's seed: neither its trials nor its final had it."""
SETS = ("report", "calibration")
PARTS = ("content_preservation", "style_match", "artefact_factor")
RATIOS = ("style_to_content", "tv_to_content")
COLUMNS = (
    *("judge_version", "style", "seed", "setting", *RATIOS, "images_seen"),
    *(f"{name}_quality" for name in SETS),
    *PARTS,
    *(f"{name}_photos" for name in SETS),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("styles", "photos", "folder"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--only", nargs="+", metavar="STYLE", default=[], help="styles by their files' stems")
    parser.add_argument("--seed", type=int, default=0, help="of the studies")
    arguments = parser.parse_args()
    if arguments.only:
        if None in (arguments.styles, arguments.photos, arguments.folder):
            parser.error("--only needs --styles, --photos and --folder")
        arguments.folder.mkdir(parents=True, exist_ok=True)
        load_networks()
        for style in arguments.only:
            _prove(style, arguments)
    print_tables(read_table(TABLE))


def print_tables(rows: list[Row]) -> None:
    """Print what each setting came to on each style and seed, and by how much found weights are better."""
    for (style, seed), of_style in _by_study(rows).items():
        print(
            f"\n### {style}, seed {seed}\n\n| weights | style : content | tv : content | quality | "
            "content, style, artefacts |",
            end="",
        )
        print(
            " found better by | on photos that decided nothing | found better by |\n|---|---|---|---|---|---|---|---|"
        )
        for name, row in sorted(of_style.items(), key=lambda item: -float(item[1]["report_quality"])):
            parts = ", ".join(f"{float(row[part]):.2f}" for part in PARTS)
            leads = {chosen: _lead_in_words(of_style, name, chosen) for chosen in SETS}
            print(
                f"| {name} | {float(row['style_to_content']):.3g} | {float(row['tv_to_content']):.2g} | "
                f"{float(row['report_quality']):.3f} | {parts} | {leads['report']} | "
                f"{float(row['calibration_quality']):.3f} | {leads['calibration']} |"
            )
    print("\n### All of them\n\n| against | better on | by (report) | by (calibration) |\n|---|---|---|---|")
    for trainer in TRAINERS:
        found = {chosen: list(_leads(rows, trainer, chosen)) for chosen in SETS}
        if found["report"]:
            better = sum(one > 0 for one in found["report"])
            cells = " | ".join(_mean_in_words(found[chosen]) for chosen in SETS)
            print(f"| {trainer} | {better} of {len(found['report'])} | {cells} |")


def _lead_in_words(of_style: Mapping[str, Row], name: str, chosen: str) -> str:
    if name == FOUND or FOUND not in of_style:
        return ""
    better, error = lead(_photos(of_style[FOUND], chosen), _photos(of_style[name], chosen))
    return f"{better:+.3f} ± {error or 0:.3f}"


def _leads(rows: list[Row], trainer: str, chosen: str) -> Iterator[float]:
    for of_style in _by_study(rows).values():
        if FOUND in of_style and trainer in of_style:
            yield lead(_photos(of_style[FOUND], chosen), _photos(of_style[trainer], chosen))[0]


def _by_study(rows: list[Row]) -> dict[tuple[str, str], dict[str, Row]]:
    """Return the newest judge's rows by setting, by style and seed."""
    found: dict[tuple[str, str], dict[str, Row]] = {}
    newest = max((row["judge_version"] for row in rows), key=int, default="")
    for row in rows:
        if row["judge_version"] == newest:
            found.setdefault((row["style"], row["seed"]), {})[row["setting"]] = row
    return found


def _mean_in_words(leads: Sequence[float]) -> str:
    """Return a mean over studies with the half width of its 90 % interval by Student's t."""
    if len(leads) == 1:
        return f"{leads[0]:+.3f}"
    half = t_quantile(len(leads) - 1) * float(np.std(leads, ddof=1)) / len(leads) ** 0.5
    return f"{np.mean(leads):+.3f} ± {half:.3f}"


def _photos(row: Row, chosen: str) -> list[float]:
    return [float(text) for text in row[f"{chosen}_photos"].split()]


def _prove(style: str, arguments: argparse.Namespace) -> None:
    from measures.versions import JUDGE_VERSION
    from tuner.configuration.loading import load_config
    from tuner.search.study_pictures import open_pictures

    path = next((path for path in arguments.styles.iterdir() if path.stem == style), None)
    if path is None:
        raise SystemExit(f"There is no style {style!r} in {arguments.styles}.")
    overrides = {"style": str(path), "photos": [str(arguments.photos)], "seed": arguments.seed}
    config = load_config(PRESET, overrides=overrides)
    pictures = open_pictures(config)
    for setting in (FOUND, *TRAINERS):
        done = {
            row["setting"]: row
            for row in read_table(TABLE)
            if (row["judge_version"], row["style"], row["seed"]) == (JUDGE_VERSION, style, str(arguments.seed))
        }
        if setting in done:
            continue
        twin = next((name for name in done if name != FOUND and _are_twins(name, setting)), None)
        key = {"judge_version": JUDGE_VERSION, "style": style, "seed": str(arguments.seed), "setting": setting}
        if twin is not None:
            append([{**done[twin], **key}], table=TABLE, columns=COLUMNS)
            continue
        values = _search(config, f"{style}-seed{arguments.seed}", arguments.folder) if setting == FOUND else None
        run = _LongRun(_long_config(overrides, setting), pictures)
        row, outputs = run.train(values)
        keep_arrays(arguments.folder / f"{style}-seed{arguments.seed}-{setting}.npz", report=as_bytes(outputs))
        append([{**row, **key}], table=TABLE, columns=COLUMNS)
        print(style, setting, row["report_quality"], row["calibration_quality"], flush=True)
    _draw(style, pictures, config, arguments)


def _are_twins(one: str, other: str) -> bool:
    """Whether two trainers' defaults are the same training: in their own losses equal but for one constant."""
    return other != FOUND and have_same_defaults(TRAINERS[one], TRAINERS[other])


def _search(config: "StudyConfig", name: str, folder: Path) -> "SampledValues":
    from measures.sampled_values import SampledValues
    from tuner.running.request import StudyRequest
    from tuner.running.run_study import run_study

    summary = run_study(StudyRequest(config=config, storage=str(folder / "studies.db"), name=name)).summary
    if summary.best is None:
        raise SystemExit(f"Study {name} has no complete trial: styletuner study show {name} --storage ...")
    return SampledValues.from_dict(summary.best.values_run)


def _long_config(overrides: Mapping[str, object], setting: str) -> "StudyConfig":
    """Return the configuration of a long run: from noise, in the loss that the setting is of."""
    from tuner.configuration.loading import load_config

    images = TIMES_LONGER * load_config(PRESET, overrides=overrides).training.images
    further: dict[str, object] = {"training": {"images": images}, "search": {"start": "noise"}}
    if setting != FOUND:
        further |= {"loss": {"trainer": setting}}
    return load_config(PRESET, overrides={**overrides, **further})


class _LongRun:
    """Trains a setting from noise and judges it on the photos of both sets."""

    def __init__(self, config: "StudyConfig", pictures: "StudyPictures") -> None:
        from tuner.search.judged_set import judged_set
        from tuner.search.resources import StudyResources

        self._config, self._pictures = config, pictures
        self._judged = {name: judged_set(config, pictures, getattr(pictures.split, name)) for name in SETS}
        # The seed moves crops, their order and the initial weights; the held-out photos stay.
        seeded = config.model_copy(update={"seed": config.seed + SEED_APART})
        self._resources = StudyResources(seeded, pictures, report=lambda _: None)

    def train(self, values: "SampledValues | None") -> tuple[Row, np.ndarray]:
        """Return a row without its key, and the report photos restyled; without values, with the published ones."""
        if values is None:
            values = self._published()
        self._resources.start(values)
        images = self._config.training.images
        self._resources.train_and_paint(0, images)
        row = {"images_seen": str(images), **{name: f"{value:.5g}" for name, value in _ratios(values).items()}}
        painted = {name: self._resources.paint_finite(judged.photos) for name, judged in self._judged.items()}
        for name, judged in self._judged.items():
            quality = judged.judge.score(list(painted[name]))
            row[f"{name}_quality"] = f"{quality.quality:.5f}"
            row[f"{name}_photos"] = " ".join(f"{photo.quality:.5f}" for photo in quality.photos)
            if name == SETS[0]:
                row |= {part: f"{quality.parts()[part]:.5f}" for part in PARTS}
        return row, painted[SETS[0]]

    def _published(self) -> "SampledValues":
        from measures.sampled_values import SampledValues
        from tuner.converting.published_settings import convert_published

        alone = self._config.model_copy(
            update={"search": self._config.search.model_copy(update={"published_baselines": False})}
        )
        references = self._resources.scale.references
        found, _ = convert_published(alone, self._pictures, references=references, report=lambda _: None)
        return SampledValues.from_dict(found[0].ratios())


def _ratios(values: "SampledValues") -> dict[str, float]:
    known = values.to_dict()
    return {name: float(known[name]) for name in RATIOS}


def _draw(style: str, pictures: "StudyPictures", config: "StudyConfig", arguments: argparse.Namespace) -> None:
    """Draw a sheet of what all settings of a style paint, best first."""
    from dashboards.contact_sheet import SheetRow, contact_sheet
    from measures.sampled_values import SampledValues
    from tuner.search.judged_set import judged_set

    rows = _by_study(read_table(TABLE))[style, str(arguments.seed)].values()
    sheet_rows = []
    for number, row in enumerate(sorted(rows, key=lambda row: -float(row["report_quality"]))):
        kept = arguments.folder / f"{style}-seed{arguments.seed}-{row['setting']}.npz"
        if not kept.exists():  # a twin's
            continue
        with np.load(kept) as arrays:
            outputs = arrays["report"].astype(np.float32) / 255.0
        values = SampledValues.from_dict({name: float(row[name]) for name in RATIOS})
        sheet_rows.append(
            SheetRow(
                number=number,
                state="COMPLETE",
                weights=values.loss_weights().to_dict(),
                quality=float(row["report_quality"]),
                parts={part: float(row[part]) for part in PARTS},
                outputs=list(outputs),
                note=row["setting"],
            )
        )
    photos = judged_set(config, pictures, pictures.split.report).photos
    sheet = contact_sheet(
        list(photos), pictures.judged_style, sheet_rows, title=f"Found and published weights: {style}"
    )
    write_whole(arguments.folder / f"{style}-seed{arguments.seed}.png", sheet)


if __name__ == "__main__":
    main()

"""Does a scout foretell the long runs? Trains scouts and scores the settings of fidelity.csv, into fidelity_scout.csv.

    .venv/bin/python benchmarks/fidelity_scout.py --styles styles/ --photos photos/ --only wave_hokusai
    .venv/bin/python benchmarks/fidelity_scout.py --styles styles/ --photos photos/ --set images=20480 --name long

A scout sees the crops, style and network of the long runs, with their loss weights drawn over the whole space. On its
way it is folded at the twelve settings, and what these networks paint of the eight photos is judged as the long runs
are. A scout that is in the table is not trained again.
"""

import argparse
import time
from pathlib import Path

import yaml
from fidelity_runs import KEY, PARTS, SCALES, STYLE_TO_CONTENT, TV_TO_CONTENT, Row, append, read_table, settings

from tuner.installation.environment import load_networks

TABLE = Path(__file__).with_name("fidelity_scout.csv")
RUNGS = (1280, 2560, 5120, 7680, 10240, 15360, 20480)
"""Images after which a scout is looked at, as far as it is trained."""
DEFAULTS = {"images": 10240, "batch_size": 4, "learning_rate": 0.002, "hidden_units": 64}
COLUMNS = (*KEY, "style_to_content", "tv_to_content", "images_seen", *PARTS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("styles", "photos"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--only", nargs="+", metavar="STYLE", required=True, help="styles by their files' stems")
    parser.add_argument("--name", default="scout", help="of this kind of scout in the table")
    parser.add_argument("--set", nargs="*", default=(), metavar="SETTING=VALUE", help="of the scout section")
    parser.add_argument("--network", nargs="*", default=(), metavar="SETTING=VALUE", help="of the network section")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    load_networks()
    from measures.versions import JUDGE_VERSION

    for style in arguments.only:
        key = (JUDGE_VERSION, "64", style, arguments.name, str(arguments.seed))
        if key not in {(row["judge_version"], row["scale"], row["style"], row["way"], row["seed"]) for row in read()}:
            _train(style, arguments)


def read() -> list[Row]:
    """Return the rows of the table; none if there is no table yet."""
    return read_table(TABLE)


def _pairs(texts: list[str]) -> dict[str, object]:
    return {name: yaml.safe_load(value) for name, value in (text.split("=", 1) for text in texts)}


def _train(style: str, arguments: argparse.Namespace) -> None:
    from measures.sampled_values import SampledValues
    from measures.versions import JUDGE_VERSION
    from tuner.configuration.loading import merge, validate_config
    from tuner.scouting.scout_network import build_scout, fold_scout, scout_batches, training_config
    from tuner.search.resources import StudyResources
    from tuner.search.study_pictures import open_pictures

    path = next(path for path in arguments.styles.iterdir() if path.stem == style)
    given = {
        "style": str(path),
        "photos": [str(arguments.photos)],
        "network": _pairs(arguments.network),
        "search": {"style_to_content": STYLE_TO_CONTENT, "tv_to_content": TV_TO_CONTENT},
        "scout": {**DEFAULTS, **_pairs(arguments.set)},
    }
    config = validate_config(merge(SCALES["64"], given), source="fidelity_scout")
    pictures = open_pictures(config)
    config = training_config(config.model_copy(update={"seed": arguments.seed}))
    resources = StudyResources(config, pictures, report=lambda _: None, build=build_scout)
    values = [SampledValues(style_to_content=style, tv_to_content=tv) for style, tv in settings()]
    resources.start(None)
    rows, seen, started = [], 0, time.monotonic()
    for rung in (rung for rung in RUNGS if rung <= config.training.images):
        resources.trainer.train(scout_batches(resources, seen, rung))
        seen = rung
        trained = time.monotonic() - started
        with resources.trainer.averaged() as network:
            folded = fold_scout(network, config, values)
        qualities = []
        for number, (value, plain) in enumerate(zip(values, folded, strict=True)):
            row = _score(resources, plain)
            qualities.append(float(row["quality"]))
            key = (JUDGE_VERSION, "64", style, arguments.name, str(number), str(arguments.seed))
            ratios = {name: f"{ratio:.5g}" for name, ratio in value.to_dict().items()}
            rows.append({**dict(zip(KEY, key, strict=True)), **ratios, "images_seen": str(rung), **row})
        print(style, arguments.name, rung, f"{trained:.0f}s", *(f"{value:.3f}" for value in qualities), flush=True)
    append(rows, table=TABLE, columns=COLUMNS)


def _score(resources: object, network: object) -> Row:
    import numpy as np

    from models.networks.style_network import stylise

    outputs = np.round(stylise(network, resources.rung.photos) * 255) / 255
    scored = resources.rung.judge.score(list(outputs.astype(np.float32)))
    return {part: f"{getattr(scored, part):.5f}" for part in PARTS}


if __name__ == "__main__":
    main()

"""Does the judge agree with the eye, can it be gamed, what does each constant do? The tables of docs/quality.md.

    .venv/bin/python benchmarks/quality.py --styles styles/ --sweeps sweeps/ --cases cases/ --runs quality_runs/ \
        --outside quality_outside/ --half report

`--runs` is the folder of `quality_runs.py`, `--outside` that of `quality_outside.py`. Tables: `sweeps`, `gaming`,
`degradations`, `identification`, `rivals` (other scores on the same pictures), `photos` (spread over the photos of one
network), `faults` (frames and weaves), `sizes` (of the style image in training), `outside` (strengths of an outside
network) and `ablation` (each constant changed); `--tables` chooses some of them. `--sheet` draws the pictures of
`sizes`.
"""

import argparse
from pathlib import Path

from tuner.installation.environment import load_networks

ON_SETS = ("sweeps", "gaming", "degradations", "rivals", "photos", "faults")
TABLES = (
    "sweeps",
    "gaming",
    "degradations",
    "identification",
    "rivals",
    "photos",
    "faults",
    "sizes",
    "outside",
    "ablation",
)


def main() -> None:
    arguments = _read_arguments()
    load_networks()
    from quality_pictures import Sources, picture_sets

    sources = Sources(styles=arguments.styles, sweeps=arguments.sweeps, cases=arguments.cases, runs=arguments.runs)
    if arguments.sheet is not None:
        _write_sheet(arguments, sources)
    sets = picture_sets(arguments.half, sources)
    for table in arguments.tables:
        print(f"\n### {table}, {arguments.half} half\n", flush=True)
        _print_table(table, sets, arguments, sources)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("styles", "sweeps", "cases", "runs"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--outside", type=Path, help="needed by the table `outside`")
    parser.add_argument("--half", choices=("tune", "report"), required=True)
    parser.add_argument("--tables", nargs="*", choices=TABLES, help="all that the folders given allow by default")
    parser.add_argument("--constants", nargs="+", default=(), help="of the ablation, by name; all by default")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="draw the pictures of the table `sizes`")
    arguments = parser.parse_args()
    if arguments.tables is None:
        arguments.tables = [table for table in TABLES if table != "outside" or arguments.outside]
    if "outside" in arguments.tables and not arguments.outside:
        parser.error("the table `outside` needs --outside, the folder of quality_outside.py")
    return arguments


def _print_table(table: str, sets: list, arguments: argparse.Namespace, sources: object) -> None:
    import quality_faults
    import quality_series
    import quality_tables
    from quality_pictures import sweeps_at_own_size

    if table == "identification":
        quality_tables.identification(arguments.half, sources)
    elif table == "sizes":
        quality_series.sizes(arguments.half, sources)
    elif table == "outside":
        quality_series.outside(arguments.half, sources, arguments.outside)
    elif table == "sweeps":
        quality_tables.sweeps([*sets, *sweeps_at_own_size(arguments.half, sources)])
    elif table == "ablation":
        quality_tables.ablation(sets, arguments.constants)
    else:
        modules = {"photos": quality_series, "faults": quality_faults}
        getattr(modules.get(table, quality_tables), table)(sets)


def _write_sheet(arguments: argparse.Namespace, sources: object) -> None:
    from quality_series import sheet_of_sizes

    from models.pictures.images import write_image

    write_image(arguments.sheet, sheet_of_sizes(arguments.half, sources))


if __name__ == "__main__":
    main()

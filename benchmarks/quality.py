"""Does the judge agree with the eye, can it be gamed, what does each constant do? The tables of docs/quality.md.

    .venv/bin/python benchmarks/quality.py --sweeps sweeps/ --runs quality_runs/ --half report

`--runs` is the folder of `quality_runs.py`. Tables: `sweeps`, `gaming`, `degradations`, `identification`, `rivals`
(other scores on the same pictures) and `ablation` (each constant changed); `--tables` chooses some of them.
"""

import argparse
from pathlib import Path

from tuner.installation.environment import load_networks

TABLES = ("sweeps", "gaming", "degradations", "identification", "rivals", "ablation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--half", choices=("tune", "report"), required=True)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--constants", nargs="+", default=(), help="of the ablation, by name; all by default")
    arguments = parser.parse_args()
    load_networks()
    import quality_tables
    from quality_pictures import picture_sets

    sets = picture_sets(arguments.half, sweeps=arguments.sweeps, runs=arguments.runs)
    for table in arguments.tables:
        print(f"\n### {table}, {arguments.half} half\n", flush=True)
        if table == "identification":
            quality_tables.identification(arguments.half, arguments.runs)
        elif table == "ablation":
            quality_tables.ablation(sets, arguments.constants)
        else:
            getattr(quality_tables, table)(sets)


if __name__ == "__main__":
    main()

"""`styletuner train`: a finished network from exported weights."""

import shlex
from pathlib import Path

import click

PATH = click.Path(path_type=Path)


@click.command(epilog="Example: styletuner train best.yaml -o starry.keras")
@click.argument("exported", type=PATH, metavar="EXPORTED.yaml")
@click.option("-o", "--output", type=PATH, required=True, help="The network to write, a .keras file.")
@click.option("--photos", type=PATH, multiple=True, help="Train on these photos instead of the study's.")
@click.option("--images", type=click.IntRange(min=1), help="Images to train on.")
@click.option("--crop-size", type=click.IntRange(min=32), help="Side of the training crops in pixels.")
@click.option("--style-size", type=click.IntRange(min=32), help="Shorter side of the style image in pixels.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Crops in a batch.")
@click.option("--learning-rate", type=click.FloatRange(min=0, max=1, min_open=True, max_open=True), help="Adam's step.")
@click.option(
    "--repeat-trial", "repeated", is_flag=True, help="Repeat the trial's own short run instead, and score it."
)
@click.option(
    "--from", "start", type=PATH, help="Network or scout to start from, a .keras file.  [default: start from noise]"
)
def train(
    exported: Path,
    output: Path,
    photos: tuple[Path, ...],
    images: int | None,
    crop_size: int | None,
    style_size: int | None,
    batch_size: int | None,
    learning_rate: float | None,
    repeated: bool,
    start: Path | None,
) -> None:
    """Train a finished network from a config that `styletuner study export` wrote.

    An interrupted training resumes from its checkpoint when the same command is run again. A finished network is left
    as it is, and one of another training is not written over.

    With --from it starts from a network that is trained already; of a scout, from what it has for these weights. A
    trial that started from its study's scout or starter is repeated from that.
    """
    from studies.records.exported_config import read_exported
    from tuner.finished.training_plan import plan_training
    from tuner.installation.environment import load_networks

    config = read_exported(exported)
    sizes: dict[str, float | None] = {
        "images": images,
        "crop_size": crop_size,
        "style_size": style_size,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
    }
    if repeated and any(value is not None for value in sizes.values()):
        raise click.UsageError(
            "--repeat-trial uses the trial's own sizes and learning rate. Leave --images, --learning-rate and the "
            "sizes out."
        )
    plan = plan_training(config, output=output, photos=photos, sizes=sizes, start=start)
    if not repeated and plan.rate_remark:
        click.echo(plan.rate_remark)
    load_networks()
    from tuner.finished.full_training import train_fully
    from tuner.finished.repeated_trial import repeat_trial

    if repeated:
        quality = repeat_trial(plan, report=click.echo)
        click.echo(f"Quality {quality:.4f}; the study's trial {config.trial} had {config.quality:.4f}.")
    else:
        train_fully(plan, report=click.echo)
    click.echo(f"{output}\nUse it: styletuner stylize {shlex.quote(str(output))} photo.jpg -o out/")

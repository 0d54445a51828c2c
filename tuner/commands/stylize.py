"""`styletuner stylize`: restyle photos with a finished network."""

from pathlib import Path

import click


@click.command(epilog="Example: styletuner stylize starry.keras in.jpg more/ -o out/")
@click.argument("network", type=click.Path(path_type=Path), metavar="NETWORK.keras")
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder for the pictures.")
@click.option(
    "--size", type=click.IntRange(min=16), help="Resize photos so that their shorter side has this many pixels."
)
@click.option("--format", "suffix", type=click.Choice(["png", "jpg", "webp"]), default="png", show_default=True)
def stylize(network: Path, photos: tuple[Path, ...], output: Path, size: int | None, suffix: str) -> None:
    """Restyle photos (files, folders, .zip archives) with a finished network, each at its own size."""
    from tuner.environment import load_networks

    load_networks()
    from tuner.stylising import load_network, stylise_photos

    model = load_network(network)
    num_pictures = 0
    for path in stylise_photos(model, photos, output=output, size=size, suffix=f".{suffix}"):
        click.echo(str(path))
        num_pictures += 1
    click.echo(f"{num_pictures} picture{'s' if num_pictures != 1 else ''} in {output}", err=True)

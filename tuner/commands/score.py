"""`styletuner score`: perceptual quality of any pictures."""

import json
from pathlib import Path

import click

PICTURE = click.Path(path_type=Path)


@click.command(epilog="Example: styletuner score --photo photo.jpg --style painting.jpg output1.png output2.png")
@click.option("--photo", type=PICTURE, required=True, help="The content photo that the pictures were made from.")
@click.option("--style", type=PICTURE, required=True, help="The style image.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of objects, best first.")
@click.argument("pictures", type=PICTURE, nargs=-1, required=True)
def score(photo: Path, style: Path, as_json: bool, pictures: tuple[Path, ...]) -> None:
    """Score PICTURES, made by any method, against a content photo and a style image; best first.

    Quality and its parts lie in [0, 1], higher is better. Parts that compare outputs of several photos are null here.
    """
    from tuner.environment import load_networks

    load_networks()
    from models.images import read_image, read_style_image
    from objectives.scoring import score_pictures

    images = [(str(path), read_image(path)) for path in pictures]
    scores = score_pictures(images, photo=read_image(photo), style=read_style_image(style))
    rows = [scored.to_dict() for scored in sorted(scores, key=lambda scored: -scored.quality.quality)]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    click.echo("quality  content  style  clean  picture")
    for row in rows:
        parts = (row["quality"], row["content_preservation"], row["style_match"], row["artefact_factor"])
        note = f"  ({row['note']})" if row["note"] else ""
        click.echo("{:7.3f}  {:7.3f}  {:5.3f}  {:5.3f}  ".format(*parts) + row["picture"] + note)

import pytest

from measures.published_trainers import TRAINERS
from tuner.converting.command_lines import command_line, scaled_style_size

WEIGHTS = {"content": 7.5, "style": 123456.0, "total_variation": 0.0002}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "lengstrom",
            "python style.py --style 'my art/waves.jpg' --train-path PHOTOS --checkpoint-dir CHECKPOINTS "
            "--content-weight 7.5 --style-weight 1.235e+05 --tv-weight 0.0002",
        ),
        (
            "jcjohnson",
            "th train.lua -h5_file PHOTOS.h5 -style_image 'my art/waves.jpg' -style_image_size 512 "
            "-content_weights 7.5 -style_weights 1.235e+05 -tv_strength 0.0002",
        ),
        (
            "pytorch-examples",
            "python neural_style/neural_style.py train --dataset PHOTOS --style-image 'my art/waves.jpg' "
            "--save-model-dir MODELS --cuda 1 --style-size 512 --content-weight 7.5 --style-weight 1.235e+05",
        ),
        (
            "gordicaleksa",
            "python training_script.py --style_img_name waves.jpg --content_weight 7.5 --style_weight 1.235e+05 "
            "--tv_weight 0.0002",
        ),
        (
            "magenta",
            "arbitrary_image_stylization_train --style_dataset_file=STYLES.tfrecord --imagenet_data_dir=PHOTOS "
            "--vgg_checkpoint=VGG --inception_v3_checkpoint=INCEPTION --train_dir=MODELS "
            "--content_weights='{\"vgg_16/conv3\": 7.5}' "
            '--style_weights=\'{"vgg_16/conv1": 1.235e+05, "vgg_16/conv2": 1.235e+05, "vgg_16/conv3": 1.235e+05, '
            '"vgg_16/conv4": 1.235e+05}\' --total_variation_weight=0.0002',
        ),
    ],
)
def test_command_lines(name: str, wanted: str) -> None:
    assert command_line(TRAINERS[name], WEIGHTS, style="my art/waves.jpg", style_size=512) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("jcjohnson", "-style_weights 4,8,16,32 "),
        (
            "magenta",
            '--style_weights=\'{"vgg_16/conv1": 4, "vgg_16/conv2": 8, "vgg_16/conv3": 16, "vgg_16/conv4": 32}\' ',
        ),
        ("lengstrom", "--style-weight 15 "),
    ],
)
def test_a_tilt_is_in_the_weights_of_layers_where_a_trainer_takes_them(name: str, wanted: str) -> None:
    line = command_line(TRAINERS[name], {**WEIGHTS, "style": 15.0}, style="waves.jpg", style_size=512, tilt=1.0)
    assert wanted in line
    assert line.count("style_weights") + line.count("style-weight") == 1


def test_weights_of_layers_are_of_the_trainers_own() -> None:
    """Without a tilt they would be the one weight, of every layer."""
    for trainer in TRAINERS.values():
        if trainer.layers_option:
            assert "style" in trainer.weight_options
            trainer.layers_option.format(**dict.fromkeys(trainer.style_layers, "1"))


def test_strokes_stay_as_large_as_they_were_to_the_crops() -> None:
    assert scaled_style_size(192, crop_size=96, native_crop_size=256) == 512

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


def test_strokes_stay_as_large_as_they_were_to_the_crops() -> None:
    assert scaled_style_size(192, crop_size=96, native_crop_size=256) == 512

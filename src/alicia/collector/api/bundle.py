"""The built dashboard on disk: its page template and its compressed assets."""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, final

import msgspec

_WALL: Final = "<!--wall-->"
_SNAPSHOT: Final = "<!--snapshot-->"
# Absent, or a build is being written.
_NOT_WHOLE: Final = (OSError, ValueError, EOFError, zlib.error, msgspec.DecodeError)


class _Listed(msgspec.Struct):
    type: str


class _Manifest(msgspec.Struct):
    assets: dict[str, _Listed]


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the bundle; its name holds a hash of its content, so it never changes."""

    content_type: str
    body: bytes
    gzipped: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """A whole build. The template is cut where the wall and the snapshot go."""

    before_wall: str
    before_snapshot: str
    after: str
    assets: Mapping[str, Asset]


@final
class BundleFolder:
    """Keeps the bundle of a folder in memory; a new build is seen at the next look.

    Not for several threads at once. Names of assets are looked up in the manifest, never joined
    to a path, so that no request reaches another file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark: tuple[int, int] | None = None
        self._bundle: Bundle | None = None

    def look(self) -> Bundle | None:
        """The bundle as it is on disk now; None where there is none, or half of one."""
        try:
            manifest = (self._folder / "manifest.json").stat()
            mark = (manifest.st_mtime_ns, manifest.st_ino)
            if mark != self._mark:
                self._bundle = _read(self._folder)
                self._mark = mark
        except _NOT_WHOLE:
            self._mark, self._bundle = None, None
        return self._bundle


def _read(folder: Path) -> Bundle:
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=_Manifest)
    template = (folder / "index.html").read_text("utf-8")
    before_wall, _, rest = template.partition(_WALL)
    before_snapshot, found, after = rest.partition(_SNAPSHOT)
    if not found:
        raise ValueError("the template has no place for the snapshot")
    assets = {name: _asset(folder / name, entry.type) for name, entry in manifest.assets.items()}
    return Bundle(before_wall, before_snapshot, after, MappingProxyType(assets))


def _asset(path: Path, content_type: str) -> Asset:
    body, gzipped = path.read_bytes(), path.with_name(f"{path.name}.gz").read_bytes()
    if gzip.decompress(gzipped) != body:
        raise ValueError(f"{path.name} and its compressed twin differ")
    return Asset(content_type, body, gzipped)

"""A data folder as one file, taken while services write, and made a folder again.

The file is a tar: all that it holds, then ``manifest.json`` with size and SHA-256 of each. Source:
reliability.md §6.
"""

import contextlib
import hashlib
import io
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, Final, NamedTuple

import msgspec

from alicia.adapters.files import PRIVATE_FILE, PRIVATE_FOLDER
from alicia.base.errors import AliciaError, Kind
from alicia.base.version import __version__

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_DATABASES: Final = ("collector.db", "scheduler.db")
# The log before the blocks: what moves from one to the other meanwhile is then in both, and what
# is in both is one when it is read.
_FOLDERS: Final = ("metrics/wal", "metrics/raw", "audit")
_SECRETS: Final = ("tokens.json", "session.key", "broker")
_UNFINISHED: Final = (".new", ".corrupt")
_TRIES: Final = 10
_PIECE: Final = 1 << 20


class BadBackup(AliciaError):
    """The file is no backup, is damaged, or is one of a later version; nothing was restored."""

    code: ClassVar[str] = "bad_backup"
    kind: ClassVar[Kind] = Kind.BAD_INPUT


class BackupRefused(AliciaError):
    """There is something already where a backup, or a restored folder, should go."""

    code: ClassVar[str] = "backup_refused"
    kind: ClassVar[Kind] = Kind.CONFLICT


class Contents(NamedTuple):
    """What a backup holds."""

    files: int
    bytes: int


def write_backup(data_dir: Path, target: Path, *, with_secrets: bool) -> Contents:
    """Write everything of a data folder into a new file; services may go on meanwhile.

    Tokens and keys only ``with_secrets``. The file appears under its name when it is whole.

    Raises:
        BackupRefused: the file exists, or there is no data folder.
        OSError: it could not be written or read.
    """
    if not data_dir.is_dir():
        raise BackupRefused(f"{data_dir}: there is no data folder to back up")
    if target.exists():
        raise BackupRefused(f"{target} exists; choose another name, or remove it")
    aside = target.with_name(target.name + ".new")
    try:
        with _created(aside) as file:
            contents = _write(data_dir, file, with_secrets=with_secrets)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(target)
    except FileExistsError:
        raise BackupRefused(f"{aside} exists: another backup runs, or one broke off") from None
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return contents


def _write(data_dir: Path, file: IO[bytes], *, with_secrets: bool) -> Contents:
    listed: dict[str, dict[str, object]] = {}
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, size in _sources(data_dir, with_secrets=with_secrets):
            reader = _Hashing(content)
            info = tarfile.TarInfo(name)
            info.size, info.mode = size, PRIVATE_FILE
            tar.addfile(info, reader)
            listed[name] = {"size": size, "sha256": reader.digest()}
        manifest = msgspec.json.encode({"format": FORMAT, "version": __version__, "files": listed})
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(manifest), PRIVATE_FILE
        tar.addfile(info, io.BytesIO(manifest))
    sizes = [entry["size"] for entry in listed.values()]
    return Contents(len(listed), sum(size for size in sizes if isinstance(size, int)))


def _sources(data_dir: Path, *, with_secrets: bool) -> Iterator[tuple[str, IO[bytes], int]]:
    """Name, content and size of each file, each open only until the next one is asked for."""
    for name in _DATABASES:
        if (data_dir / name).exists():
            with _database(data_dir / name) as copy:
                yield name, copy, _size(copy)
    for folder in _FOLDERS:
        with ExitStack() as stack:
            for name, content in _opened(data_dir, folder, stack):
                yield name, content, _size(content)
    if with_secrets:
        for name in _SECRETS:
            place = data_dir / name
            for path in sorted(place.iterdir()) if place.is_dir() else [place]:
                if path.is_file():
                    with path.open("rb") as content:
                        yield path.relative_to(data_dir).as_posix(), content, _size(content)


def _opened(data_dir: Path, folder: str, stack: ExitStack) -> list[tuple[str, IO[bytes]]]:
    """All files of a folder, open at once, so that none can be deleted under our hands."""
    place = data_dir / folder
    for _ in range(_TRIES):
        with ExitStack() as tried:
            found: list[tuple[str, IO[bytes]]] = []
            try:
                for path in sorted(place.iterdir()) if place.is_dir() else []:
                    if not path.name.endswith(_UNFINISHED):
                        opened = tried.enter_context(path.open("rb"))
                        found.append((f"{folder}/{path.name}", opened))
            except FileNotFoundError:
                continue  # one was merged or deleted since we listed them
            stack.enter_context(tried.pop_all())
            return found
    raise BackupRefused(f"{place}: its files change too quickly; try again")


@contextmanager
def _database(path: Path) -> Iterator[IO[bytes]]:
    """A copy of an SQLite database as of one moment."""
    with tempfile.TemporaryDirectory(prefix="alicia-backup-") as folder:
        copy = Path(folder) / path.name
        with (
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        with copy.open("rb") as content:
            yield content


def _size(content: IO[bytes]) -> int:
    return os.fstat(content.fileno()).st_size


def _created(path: Path) -> IO[bytes]:
    """A new file, its owner's alone."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, PRIVATE_FILE), "wb")


class _Hashing:
    """Reads as the file that it is given, and knows the checksum of what was read."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._content.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        return self._hash.hexdigest()


def restore_backup(source: Path, data_dir: Path) -> Contents:
    """Make a data folder of a backup; it must not exist, or be empty.

    All is checked before the folder gets its name.

    Raises:
        BackupRefused: the folder holds something.
        BadBackup: the file is none of ours, or is damaged.
        OSError: it could not be read or written.
    """
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise BackupRefused(
            f"{data_dir} is not empty; restore into another folder with --data-dir, or move it away"
        )
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{data_dir.name}.restoring-", dir=data_dir.parent))
    try:
        contents = _unpack(source, aside)
        with contextlib.suppress(FileNotFoundError):
            data_dir.rmdir()
        aside.rename(data_dir)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return contents


def _unpack(source: Path, folder: Path) -> Contents:
    found: dict[str, dict[str, object]] = {}
    manifest = b""
    try:
        with tarfile.open(source, mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                if content is None:
                    raise BadBackup(f"{source}: {member.name!r} is no file")
                if member.name == MANIFEST:
                    manifest = content.read()
                else:
                    found[member.name] = _extract(content, folder, _safe(source, member.name))
    except (tarfile.TarError, EOFError) as error:
        raise BadBackup(f"{source} is no backup, or is damaged: {error}") from None
    _check(source, manifest, found)
    return Contents(len(found), sum(int(str(entry["size"])) for entry in found.values()))


def _safe(source: Path, name: str) -> PurePosixPath:
    """The place of a file below the data folder, if it is one that a backup may hold."""
    path = PurePosixPath(name)
    known = (*_DATABASES, *_FOLDERS, *_SECRETS)
    parts = path.parts
    if path.is_absolute() or ".." in parts or not any(path.is_relative_to(each) for each in known):
        raise BadBackup(f"{source}: {name!r} does not belong into a backup")
    return path


def _extract(content: IO[bytes], folder: Path, name: PurePosixPath) -> dict[str, object]:
    path = folder / name
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    reader, size = _Hashing(content), 0
    with _created(path) as file:
        while piece := reader.read(_PIECE):
            file.write(piece)
            size += len(piece)
        file.flush()
        os.fsync(file.fileno())
    return {"size": size, "sha256": reader.digest()}


def _check(source: Path, manifest: bytes, found: Mapping[str, object]) -> None:
    try:
        listed: Any = msgspec.json.decode(manifest)
        version, files = listed["format"], listed["files"]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise BadBackup(f"{source} is no backup of ours, or lacks its end") from None
    if version != FORMAT:
        raise BadBackup(f"{source} has format {version}; use the version of Alicia that wrote it")
    if files != found:
        wrong = sorted({name for name in {*files, *found} if files.get(name) != found.get(name)})
        raise BadBackup(f"{source} is damaged: {', '.join(wrong[:3])} differ from its list")

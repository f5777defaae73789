"""Small files of ours: what a refusal of the system says, and leaves."""

import errno
import os
from pathlib import Path

import pytest

from alicia.adapters.files import fault, write_atomically


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/d/f"),
            "/d/f: No space left on device; free some space on that disk",
        ),
        (
            OSError(errno.EROFS, "Read-only file system"),
            "/place: Read-only file system; make it writable, or choose another folder with"
            " --data-dir",
        ),
        (OSError(errno.ELOOP, "Too many links", "/d/f"), "/d/f: Too many links"),
    ],
)
def test_a_fault_names_file_reason_and_fix(error: OSError, said: str) -> None:
    assert fault(error, Path("/place")) == said


def test_what_concerns_no_file_is_no_fault_of_files() -> None:
    assert fault(OSError(errno.ECONNRESET, "Connection reset by peer")) is None
    full = OSError(errno.ENOSPC, "No space left on device")
    assert fault(full) == "the system: No space left on device; free some space on that disk"


def test_a_write_that_fails_names_the_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_text("old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_atomically(tmp_path / "f", b"new")
    assert caught.value.filename == str(tmp_path / "f")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("f", "old")]

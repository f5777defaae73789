"""Values of the cores as blobs and back; MessagePack, since JSON has no NaN."""

from typing import Any, TypeVar

import msgspec

from alicia.adapters.sql.errors import DatabaseDamaged
from alicia.series.labels import LabelSet

T = TypeVar("T")


def encode_body(value: object) -> bytes:
    """A dataclass of plain fields, enums and label sets as bytes."""
    return msgspec.msgpack.encode(value, enc_hook=_plain)


def decode_body(kind: type[T], body: bytes, *, what: str) -> T:
    """The value that ``encode_body`` took; fields that are new since then get their defaults.

    Raises:
        DatabaseDamaged: the bytes hold no such value; ``what`` names the row.
    """
    try:
        return msgspec.msgpack.decode(body, type=kind, dec_hook=_special)
    except msgspec.MsgspecError as error:
        raise DatabaseDamaged(f"{what} cannot be read: {error}; restore a backup") from None


def _plain(value: object) -> object:
    if isinstance(value, LabelSet):
        return dict(value.pairs)
    raise NotImplementedError(type(value).__name__)


def _special(kind: type[Any], raw: object) -> object:
    if kind is LabelSet and isinstance(raw, dict):
        return LabelSet(raw)
    raise NotImplementedError(kind.__name__)

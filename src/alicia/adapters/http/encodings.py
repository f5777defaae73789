"""Which compression of an answer a client takes."""

from typing import Final

_GZIP: Final = ("gzip", "x-gzip")


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip; without the header nothing is compressed.

    Source: RFC 9110 §12.5.3.
    """
    qualities: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = (piece.strip() for piece in part.partition(";"))
        qualities[coding] = _quality(parameter)
    named = [qualities[coding] for coding in _GZIP if coding in qualities]
    return max(named, default=qualities.get("*", 0.0)) > 0


def _quality(parameter: str) -> float:
    name, _, text = (piece.strip() for piece in parameter.partition("="))
    if name != "q":
        return 1.0
    try:
        return float(text)
    except ValueError:
        return 0.0

"""Bodies in snappy's block format: the declared size is judged before anything is inflated."""

from typing import Final

import cramjam

from alicia.adapters.http.errors import BadBody, BodyTooLarge
from alicia.base.limits import BODY_INFLATED_BYTES_MAX

# The best that the format can do is three bytes for a copy of 64; who declares more, lies.
_GROWTH_MAX: Final = 22


def inflate_block(body: bytes, *, bytes_max: int = BODY_INFLATED_BYTES_MAX) -> memoryview:
    """The bytes behind a snappy block.

    Raises:
        BadBody: it is no such block.
        BodyTooLarge: more than ``bytes_max`` bytes would come out.
    """
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        if size > bytes_max:
            raise BodyTooLarge(f"the inflated body is larger than {bytes_max} bytes")
        if size > _GROWTH_MAX * len(body):
            raise BadBody(f"the body is no snappy block: it cannot hold {size} bytes")
        return memoryview(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise BadBody(f"the body is no snappy block: {error}") from None

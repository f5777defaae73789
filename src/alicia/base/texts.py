"""Which characters a name may not hold."""

import re
from typing import Final

_NONCHARACTERS: Final = "".join(
    chr(plane * 0x10000 + low) for plane in range(17) for low in (0xFFFE, 0xFFFF)
)
_FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef" + _NONCHARACTERS + "]"
)


def has_controls(text: str) -> bool:
    """Whether a text holds controls, lone surrogates or noncharacters.

    Brokers hang up on a topic with one, and a log or a header would be broken by it.

    Source: MQTT 5 §1.5.4.
    """
    return _FORBIDDEN.search(text) is not None

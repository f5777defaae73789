"""Bounds that hold for every entry; settings may narrow some, nothing widens them.

Source: contract.md §6, security.md §7.
"""

from typing import Final

BODY_BYTES_MAX: Final = 10 * 1024 * 1024  # as received, compressed or not
BODY_INFLATED_BYTES_MAX: Final = 64 * 1024 * 1024
JSON_DEPTH_MAX: Final = 32
JSON_VALUES_MAX: Final = 4_000_000  # of bodies too large to be decoded in one go
LABELS_MAX: Final = 64
NAME_BYTES_MAX: Final = 256
LABEL_VALUE_BYTES_MAX: Final = 4096
QUERY_BYTES_MAX: Final = 4096
QUERY_DEPTH_MAX: Final = 64
QUERY_POINTS_MAX: Final = 11_000
QUERY_SAMPLES_MAX: Final = 50_000_000  # read by one query
QUERY_VALUES_MAX: Final = 10_000_000  # series times instants, of one operand or answer
QUERY_SECONDS_MAX: Final = 30
REGEX_BYTES_MAX: Final = 1024
BUS_PARSE_BYTES_MAX: Final = 64 * 1024  # outside metrics/# and scheduler/#
LIST_LIMIT_DEFAULT: Final = 1000
LIST_LIMIT_MAX: Final = 10_000
LOG_LINE_BYTES_MAX: Final = 8 * 1024
REJECTS_KEPT: Final = 50
TOO_FAR_AHEAD_MS: Final = 10 * 60 * 1000
INTERVAL_SECONDS_MIN: Final = 0.1
YEAR_MIN: Final = 1970
YEAR_MAX: Final = 2199
TOPIC_LEVELS_MAX: Final = 200  # Mosquitto hangs up above

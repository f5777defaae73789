"""Names that peers choose: services, metrics, labels; checked once, then known."""

from collections import OrderedDict
from collections.abc import Container, Mapping
from typing import Final

from alicia.base.limits import LABEL_VALUE_BYTES_MAX, LABELS_MAX, NAME_BYTES_MAX
from alicia.series.labels import INSTANCE, NAME, SERVICE, LabelSet
from alicia.wire.rejects import Refused
from alicia.wire.values import shown

COLLECTOR: Final = "metrics_collector"  # what our two services are called
SCHEDULER: Final = "event_scheduler"
UNKNOWN_SERVICE: Final = "unknown"  # of metrics whose sender says nowhere who it is
SERIES_NAMES_MAX: Final = 250_000  # more than MAX_SERIES, since of histograms the whole is kept too
SERIES_CHARS_MAX: Final = 1024  # of all labels of a series that is remembered
SERVICES_MAX: Final = 10_000
# The services of bus.md §3, whose spelling varies between their own messages.
FLEET: Final = frozenset(
    {
        "security_gateway",
        "device_registry",
        "discovery_service",
        "health_monitor",
        "config_service",
        "load_balancer",
        COLLECTOR,
        SCHEDULER,
        "configuration_manager",
        "service_orchestrator",
        "stt_service",
        "ai_service",
        "tts_service",
        "voice_router",
        "sonos_service",
        "device_manager",
        "ha_bridge",
        "device_control",
        "grok_integration",
        "personality_system",
        "multi_language",
        "advanced_voice",
    }
)


def canonical_service(name: str, registered: Container[str] = FLEET) -> str:
    """The registered spelling of a service's name; a name that fits none stays as sent (T9)."""
    if name in registered or name in FLEET:
        return name
    usual = folded(name)
    return usual if usual in registered or usual in FLEET else name


def folded(name: str) -> str:
    """The spelling of §3 that a name comes down to: ``alicia-stt-service`` is ``stt_service``."""
    return name.strip().lower().replace("-", "_").replace(" ", "_").removeprefix("alicia_")


def check_service(raw: object, *, field: str = "service_name") -> str:
    """A name that may stand in a topic and in a path (T11).

    Raises:
        Refused: ``bad_name``.
    """
    name = _text(raw, field, "bad_name")
    if any(char in "/+#" for char in name):
        raise Refused("bad_name", f"{field}: {shown(name)} holds / + or #; leave them out")
    return name


def check_metric_name(raw: object) -> str:
    """A metric's name: any UTF-8 without control characters, 1 to NAME_BYTES_MAX bytes.

    Raises:
        Refused: ``bad_name``.
    """
    return _text(raw, "name", "bad_name")


class SeriesNames:
    """Label sets by what a peer sent, so that a known series costs one look-up.

    Holds the ``kept`` and SERVICES_MAX newest at most; all of them passed the checks. Where more
    series than that take turns, each is built anew, which takes seven times as long; so are those
    of more than SERIES_CHARS_MAX.
    """

    def __init__(self, registered: Container[str] = FLEET, *, kept: int = SERIES_NAMES_MAX) -> None:
        self._registered = registered
        self._kept = kept
        # A plain dict has to pass by all it lost to find its oldest key.
        self._known: OrderedDict[tuple[object, ...], LabelSet] = OrderedDict()
        self._services: OrderedDict[str, str] = OrderedDict()

    def service(self, raw: object) -> str:
        """A checked service name in its registered spelling.

        Raises:
            Refused: ``bad_name``.
        """
        known = self._services.get(raw) if isinstance(raw, str) else None
        if known is None:
            name = check_service(raw)
            known = canonical_service(name, self._registered)
            if known == name and folded(name) != name:
                return name  # not kept, since the name it folds to may be registered yet
            if len(self._services) >= SERVICES_MAX:
                self._services.popitem(last=False)
            self._services[name] = known
        return known

    def instance(self, raw: object) -> str:
        """A checked instance id; numbers are taken as text.

        Raises:
            Refused: ``bad_name``.
        """
        if isinstance(raw, int) and not isinstance(raw, bool):
            raw = str(raw)
        return _text(raw, "instance_id", "bad_name")

    def series(self, service: str, instance: str, name: object, labels: object) -> LabelSet:
        """The label set of one series; ``service`` and ``instance`` are checked already.

        Raises:
            Refused: ``bad_name``, ``bad_label``, ``too_many_labels``, ``label_too_long``.
        """
        pairs = tuple(labels.items()) if isinstance(labels, dict) and labels else ()
        key = (service, instance, name, pairs)
        try:
            known = self._known.get(key)
        except TypeError:  # unhashable, so no text: the checks below say which
            known = None
        if known is not None:
            return known
        built = _build(service, instance, check_metric_name(name), check_labels(labels))
        if all(type(value) is str for _, value in pairs):  # 1, 1.0 and true are one key
            self._remember(key, built, pairs)
        return built

    def part(self, whole: LabelSet, suffix: str, pairs: tuple[tuple[str, str], ...]) -> LabelSet:
        """The label set of one series of a histogram or summary (``_bucket``, ``le``)."""
        key = (whole, suffix, pairs)
        known = self._known.get(key)
        if known is None:
            known = whole.merged({NAME: whole.name + suffix, **dict(pairs)})
            self._remember(key, known, (*whole.items(), *pairs))
        return known

    def _remember(
        self, key: tuple[object, ...], labels: LabelSet, pairs: tuple[tuple[str, str], ...]
    ) -> None:
        if sum(len(label) + len(value) for label, value in pairs) > SERIES_CHARS_MAX:
            return
        if len(self._known) >= self._kept:
            self._known.popitem(last=False)
        self._known[key] = labels


def _build(service: str, instance: str, name: str, labels: dict[str, str]) -> LabelSet:
    # A sender's own ``service`` that says something else is kept aside, as Prometheus does.
    for ours, value in ((SERVICE, service), (INSTANCE, instance)):
        sent = labels.pop(ours, value)
        if sent != value:
            labels[f"exported_{ours}"] = sent
    return LabelSet({**labels, NAME: name, SERVICE: service, INSTANCE: instance})


def check_labels(labels: object) -> dict[str, str]:
    """Labels other than the name, within all bounds; those without a value are left out.

    Raises:
        Refused: ``bad_label``, ``too_many_labels``, ``label_too_long``.
    """
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise Refused("bad_label", f"labels: {shown(labels)} is not an object of texts")
    if len(labels) > LABELS_MAX:
        raise Refused(
            "too_many_labels", f"labels: {len(labels)} are more than {LABELS_MAX}; send fewer"
        )
    checked = {}
    for label, raw in labels.items():
        if _text(label, "labels", "bad_label") == NAME:
            raise Refused("bad_label", f"labels: {NAME} is the metric's name; send it as name")
        value = _label_text(label, raw)
        if value:
            checked[label] = value
    return checked


def _label_text(label: str, raw: object) -> str:
    if raw is None:
        return ""  # an empty value means "label absent"
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int | float):
        raw = str(raw)
    if not isinstance(raw, str):
        raise Refused("bad_label", f"labels.{label[:64]}: {shown(raw)} is not a text; send a text")
    if len(raw.encode(errors="surrogatepass")) > LABEL_VALUE_BYTES_MAX:
        raise Refused(
            "label_too_long",
            f"labels.{label[:64]}: more than {LABEL_VALUE_BYTES_MAX} bytes; shorten it",
        )
    if not _encodable(raw):
        raise Refused("bad_label", f"labels.{label[:64]}: holds a lone surrogate; send UTF-8")
    return raw


def _text(raw: object, field: str, code: str) -> str:
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        raise Refused(code, f"{field}: is missing or empty; send a text")
    if not isinstance(raw, str):
        raise Refused(code, f"{field}: {shown(raw)} is not a text; send a text")
    if len(raw) > NAME_BYTES_MAX or len(raw.encode(errors="surrogatepass")) > NAME_BYTES_MAX:
        raise Refused(code, f"{field}: more than {NAME_BYTES_MAX} bytes; shorten it")
    if any(ord(char) < 32 or ord(char) == 127 for char in raw) or not _encodable(raw):
        raise Refused(code, f"{field}: {shown(raw)} holds a control character; leave it out")
    return raw


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

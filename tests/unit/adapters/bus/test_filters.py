"""Wishes against what the broker holds, in every order in which they can meet."""

from hypothesis import given
from hypothesis import strategies as st

from alicia.adapters.bus.filters import PER_PACKET_MAX, Ask, Filters

_NAMES = st.sampled_from("abc")
_STEPS = st.one_of(
    st.tuples(st.just("want"), _NAMES),
    st.tuples(st.just("drop"), _NAMES),
    st.sampled_from([("ask", ""), ("answer", ""), ("lose", ""), ("lose unheard", "")]),
)


class _Broker:
    """A session that outlives connections; one packet is under way at most."""

    def __init__(self, filters: Filters) -> None:
        self.held: set[str] = set()
        self._filters = filters
        self._asked: Ask | None = None

    def step(self, name: str) -> None:
        if name == "ask" and self._asked is None:
            self._asked = self._filters.next_ask()
        elif name == "answer" and self._asked is not None:
            self._take()
            if self._asked.subscribe:
                self._filters.subscribed(self._asked, bytes(len(self._asked.filters)))
            else:
                self._filters.unsubscribed(self._asked)
            self._asked = None
        elif name.startswith("lose"):
            if name == "lose" and self._asked is not None:
                self._take()  # it came, and only the answer was lost
            self._asked = None
            self._filters.begin()

    def _take(self) -> None:
        assert self._asked is not None
        change = self.held.update if self._asked.subscribe else self.held.difference_update
        change(self._asked.filters)


@given(st.lists(_STEPS, max_size=40))
def test_however_wishes_and_answers_interleave_the_broker_ends_with_what_is_wanted(
    steps: list[tuple[str, str]],
) -> None:
    filters, wanted = Filters(), set[str]()
    broker = _Broker(filters)
    for step, name in steps:
        if step == "want":
            filters.want([name])
            wanted.add(name)
        elif step == "drop":
            filters.drop([name])
            wanted.discard(name)
        else:
            broker.step(step)
    for _ in range(4):  # the packet under way, one UNSUBSCRIBE, one SUBSCRIBE
        broker.step("answer")
        broker.step("ask")
    assert broker.held == wanted
    assert filters.next_ask() is None


def test_many_filters_go_in_several_packets_in_the_order_of_the_wishes() -> None:
    filters = Filters()
    names = [f"{number:03}" for number in range(2 * PER_PACKET_MAX + 1)]
    filters.want(names)
    sizes, asked = [], list[str]()
    while (ask := filters.next_ask()) is not None:
        filters.subscribed(ask, bytes(len(ask.filters)))
        sizes.append(len(ask.filters))
        asked += ask.filters
    assert sizes == [PER_PACKET_MAX, PER_PACKET_MAX, 1]
    assert asked == names


def test_a_refused_filter_is_no_stale_one_and_is_asked_for_when_wanted_again() -> None:
    filters = Filters()
    filters.want(["a", "b"])
    ask = filters.next_ask()
    assert ask == Ask(True, ("a", "b"))
    assert filters.subscribed(ask, b"\x80\x7f") == ["a"]
    assert filters.refused == ["a"]
    filters.want(["a"])
    again = filters.next_ask()
    assert again == Ask(True, ("a",))
    filters.drop(["a"])
    assert filters.subscribed(again, b"\x87") == ["a"]
    assert filters.refused == []
    assert filters.next_ask() is None


def test_a_new_connection_asks_again_and_forgets_what_was_refused() -> None:
    filters = Filters()
    filters.want(["a"])
    ask = filters.next_ask()
    assert ask is not None
    filters.subscribed(ask, b"\x80")
    filters.begin()
    assert filters.refused == []
    assert filters.next_ask() == ask

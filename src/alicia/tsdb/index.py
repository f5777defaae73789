"""Which series have which labels: postings per label pair."""

from collections.abc import Iterable

from alicia.series.labels import LabelSet
from alicia.series.matchers import Matcher, MatchOp


class Index:
    """The label sets of the store, found by matchers; owned by the store's thread.

    Sets are kept as insertion-ordered dicts, so that equal selections answer in equal order.
    """

    def __init__(self) -> None:
        self._all: dict[LabelSet, int] = {}  # in order of creation, with its number
        self._born = 0
        self._postings: dict[str, dict[str, dict[LabelSet, None]]] = {}

    def add(self, labels: LabelSet) -> None:
        """Enter a series; it must be new."""
        assert labels not in self._all, "a series is entered once"
        self._born += 1
        self._all[labels] = self._born
        for name, value in labels.pairs:
            self._postings.setdefault(name, {}).setdefault(value, {})[labels] = None

    def remove(self, labels: LabelSet) -> None:
        """Forget a series."""
        del self._all[labels]
        for name, value in labels.pairs:
            values = self._postings[name]
            del values[value][labels]
            if not values[value]:
                del values[value]
            if not values:
                del self._postings[name]

    def number(self, labels: LabelSet) -> int:
        """The place of a series in the order of creation; numbers are never used again."""
        return self._all[labels]

    def find(self, matchers: tuple[Matcher, ...]) -> list[LabelSet]:
        """The series that satisfy every matcher, in order of creation; all for no matchers."""
        if not matchers:
            return list(self._all)
        # A matcher that accepts the empty value accepts series without the label, which no
        # posting lists; such matchers only filter.
        rest = [matcher for matcher in matchers if matcher.matches("")]
        narrowing = [matcher for matcher in matchers if not matcher.matches("")]
        exact = [matcher for matcher in narrowing if matcher.op is MatchOp.EQUAL]
        sets = sorted(map(self._listed, exact), key=len)
        for matcher in narrowing:
            if matcher.op is MatchOp.EQUAL:
                continue
            # To look at the few that are left is cheaper than to try all values of the label.
            if sets and len(sets[0]) < len(self._postings.get(matcher.name, ())):
                rest.append(matcher)
            else:
                sets.append(self._listed(matcher))
        sets.sort(key=len)
        found: Iterable[LabelSet] = sets[0] if sets else self._all
        return [
            labels
            for labels in found
            if all(labels in other for other in sets[1:])
            and all(matcher.matches(labels.get(matcher.name, "")) for matcher in rest)
        ]

    def values(self, name: str) -> list[str]:
        """Every value of a label, sorted."""
        return sorted(self._postings.get(name, ()))

    def _listed(self, matcher: Matcher) -> dict[LabelSet, None]:
        values = self._postings.get(matcher.name, {})
        if matcher.op is MatchOp.EQUAL:
            return values.get(matcher.value, {})
        listed: dict[LabelSet, None] = {}
        for value, found in values.items():
            if matcher.matches(value):
                listed |= found
        return dict.fromkeys(sorted(listed, key=self._all.__getitem__))

"""Which series have which labels: sorted references per label pair."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from alicia.series.labels import LabelSet
from alicia.series.matchers import Matcher, MatchOp
from alicia.tsdb.kernels.bits import Words

_REFERENCE: Final = "i"


class Postings:
    """References by label pair, found by matchers; owned by the store's thread.

    ``labels_of`` gives the labels of a reference, for the few that must be looked at one by one.
    """

    def __init__(self, labels_of: Callable[[int], LabelSet]) -> None:
        self._labels_of = labels_of
        self._all = array(_REFERENCE)
        self._by_name: dict[str, dict[str, array[int]]] = {}

    def add(self, ref: int, labels: LabelSet) -> None:
        """Enter a series; its reference must not be there."""
        _insert(self._all, ref)
        for name, value in labels.pairs:
            by_value = self._by_name.setdefault(name, {})
            if value not in by_value:
                by_value[value] = array(_REFERENCE, (ref,))
            else:
                _insert(by_value[value], ref)

    def remove(self, series: Iterable[tuple[int, LabelSet]]) -> None:
        """Forget series."""
        gone: dict[tuple[str, str], list[int]] = {}
        refs = []
        for ref, labels in series:
            refs.append(ref)
            for pair in labels.pairs:
                gone.setdefault(pair, []).append(ref)
        self._all = _without(self._all, refs)
        for (name, value), ended in gone.items():
            by_value = self._by_name[name]
            left = _without(by_value[value], ended)
            if left:
                by_value[value] = left
                continue
            del by_value[value]
            if not by_value:
                del self._by_name[name]

    def find(self, matchers: tuple[Matcher, ...]) -> Words:
        """The references of the series that satisfy every matcher, sorted; all for no matchers."""
        # A matcher that accepts the empty value accepts series without the label, which no
        # posting lists; such matchers only filter.
        narrowing = [matcher for matcher in matchers if not matcher.matches("")]
        narrowing.sort(key=lambda matcher: matcher.op is not MatchOp.EQUAL)
        found: Words | None = None
        for matcher in narrowing:
            found = self._narrowed(found, matcher)
        if found is None:
            found = _words(self._all)
        for matcher in matchers:
            if matcher.matches(""):
                found = self._filtered(found, matcher)
        return found

    def names(self) -> list[str]:
        """Every label name, sorted."""
        return sorted(self._by_name)

    def values(self, name: str) -> list[str]:
        """Every value of a label, sorted."""
        return sorted(self._by_name.get(name, ()))

    def value_count(self, name: str) -> int:
        """How many values a label has."""
        return len(self._by_name.get(name, ()))

    def unsorted_values(self, name: str) -> list[str]:
        """Every value of a label, in no order, which is much quicker for very many."""
        return list(self._by_name.get(name, ()))

    def counts(self, name: str, values: Iterable[str]) -> list[int]:
        """How many series have each value of a label."""
        by_value = self._by_name.get(name, {})
        return [len(by_value.get(value, ())) for value in values]

    def _narrowed(self, found: Words | None, matcher: Matcher) -> Words:
        by_value = self._by_name.get(matcher.name, {})
        if found is not None and len(found) < len(by_value) and matcher.op is not MatchOp.EQUAL:
            # To look at the few that are left is cheaper than to try all values of the label.
            return self._looked_at(found, matcher)
        listed = self._listed(matcher)
        if found is None:
            return listed
        few, many = sorted((found, listed), key=len)
        return few[_contained(few, many)]

    def _filtered(self, found: Words, matcher: Matcher) -> Words:
        by_value = self._by_name.get(matcher.name, {})
        if len(found) < len(by_value):
            return self._looked_at(found, matcher)
        refused = [refs for value, refs in by_value.items() if not matcher.matches(value)]
        return found[~_contained(found, _union(refused))] if refused else found

    def _looked_at(self, found: Words, matcher: Matcher) -> Words:
        kept = [
            matcher.matches(self._labels_of(ref).get(matcher.name, "")) for ref in found.tolist()
        ]
        return found[np.array(kept, np.bool_)]

    def _listed(self, matcher: Matcher) -> Words:
        by_value = self._by_name.get(matcher.name, {})
        if matcher.op is MatchOp.EQUAL:
            return _words(by_value.get(matcher.value, array(_REFERENCE)))
        return _union([refs for value, refs in by_value.items() if matcher.matches(value)])


def _insert(refs: "array[int]", ref: int) -> None:
    if not refs or ref > refs[-1]:
        refs.append(ref)
    else:
        refs.insert(bisect_left(refs, ref), ref)


def _without(refs: "array[int]", gone: list[int]) -> "array[int]":
    if len(gone) == len(refs):
        return array(_REFERENCE)
    kept = np.frombuffer(refs, np.int32)
    kept = kept[~np.isin(kept, np.array(gone, np.int32))]
    return array(_REFERENCE, kept.tobytes())


def _words(refs: "array[int]") -> Words:
    return np.array(refs, np.int64)


def _union(postings: list["array[int]"]) -> Words:
    """All references of disjoint postings: a series has one value of a label."""
    if not postings:
        return np.empty(0, np.int64)
    joined = np.concatenate([np.frombuffer(refs, np.int32) for refs in postings])
    return np.sort(joined).astype(np.int64)


def _contained(few: Words, many: Words) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which of ``few`` are in ``many``, both sorted."""
    places = np.searchsorted(many, few)
    inside = places < len(many)
    inside[inside] = many[places[inside]] == few[inside]
    return inside

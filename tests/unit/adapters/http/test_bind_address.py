"""Where a bind address can be reached from, judged before anything is bound."""

import pytest

from alicia.adapters.http.bind import is_local
from alicia.base.errors import BadField


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("::", False)],
)
def test_a_bind_address_is_judged_by_all_that_it_stands_for(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_a_host_without_an_address_is_refused() -> None:
    with pytest.raises(BadField, match="HOST: 'a b' has no address"):
        is_local("a b")

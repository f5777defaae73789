import pytest

from alicia.base.errors import BadField, BadRequest, FieldError
from alicia.base.faults import Faults


def test_all_faults_are_told_at_once_in_the_order_found() -> None:
    faults = Faults()
    faults.check()
    faults.add(("a", 0, "b"), "is missing", "missing")
    faults.take(BadField("c", "c: is odd", reason="odd"))
    assert (len(faults), faults.has("x", "c"), faults.has("b")) == (2, True, False)
    with pytest.raises(BadRequest) as caught:
        faults.check()
    assert caught.value.errors() == (
        FieldError(("a", 0, "b"), "a.0.b: is missing", "missing"),
        FieldError(("c",), "c: is odd", "odd"),
    )

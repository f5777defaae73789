"""Overlap, retries and leases: small rules, whole."""

import pytest

from alicia.scheduling.event import OverlapPolicy, Retry
from alicia.scheduling.lease import Lease, may_act, must_renew
from alicia.scheduling.overlap import QUEUE_MAX, Admission, admit
from alicia.scheduling.retry import retry_at


class Highest:
    """Chance that always takes the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)

    def token_hex(self, nbytes: int) -> str:
        return "00" * nbytes


@pytest.mark.parametrize("policy", OverlapPolicy)
@pytest.mark.parametrize("catch_up", [True, False])
def test_nothing_open_always_starts(policy: OverlapPolicy, catch_up: bool) -> None:
    assert admit(policy, running=0, queued=0, catch_up=catch_up) is Admission.START


@pytest.mark.parametrize(
    ("policy", "queued", "expected"),
    [
        (OverlapPolicy.SKIP, 0, Admission.SKIP),
        (OverlapPolicy.ALLOW, 5, Admission.START),
        (OverlapPolicy.CANCEL_RUNNING, 0, Admission.REPLACE),
        (OverlapPolicy.QUEUE_ONE, 0, Admission.QUEUE),
        (OverlapPolicy.QUEUE_ONE, 1, Admission.SKIP),
        (OverlapPolicy.QUEUE_ALL, QUEUE_MAX - 1, Admission.QUEUE),
        (OverlapPolicy.QUEUE_ALL, QUEUE_MAX, Admission.FULL),
    ],
)
def test_one_open(policy: OverlapPolicy, queued: int, expected: Admission) -> None:
    assert admit(policy, running=1, queued=queued, catch_up=False) is expected


@pytest.mark.parametrize("policy", sorted(set(OverlapPolicy) - {OverlapPolicy.ALLOW}))
def test_catch_ups_queue_and_are_never_swallowed(policy: OverlapPolicy) -> None:
    assert admit(policy, running=1, queued=QUEUE_MAX, catch_up=True) is Admission.QUEUE


def test_retries_wait_longer_each_time_and_end() -> None:
    retry = Retry(max_retries=2, delay_ms=1000, backoff=3)
    waits = [retry_at(retry, retries=made, failed_us=7, random=Highest()) for made in range(3)]
    assert waits == [1_000_007, 3_000_007, None]


def test_no_wait_is_longer_than_an_hour() -> None:
    retry = Retry(max_retries=100, delay_ms=86_400_000, backoff=100)
    assert retry_at(retry, retries=99, failed_us=0, random=Highest()) == 3_600_000_000


def test_a_node_stops_before_its_lease_can_be_taken() -> None:
    lease = Lease("n", "b", renewed_ms=1000)
    assert may_act(lease, monotonic_ms=10_999)
    assert not may_act(lease, monotonic_ms=11_000)
    assert not must_renew(lease, monotonic_ms=5_999)
    assert must_renew(lease, monotonic_ms=6_000)

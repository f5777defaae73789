import gzip
import json
import random
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request

from alicia.adapters.http.content_types import ANY_TYPE, JSON_ONLY, check_type
from alicia.adapters.http.crowd import Crowd, Stage
from alicia.adapters.http.delays import Delays
from alicia.adapters.http.encodings import takes_gzip
from alicia.adapters.http.errors import BadBody, BodyTooLarge, WrongType, plain_answer
from alicia.adapters.http.hosts import Hosts, is_loopback, machine_names
from alicia.adapters.http.inflate import inflate
from alicia.adapters.http.origins import is_foreign
from alicia.adapters.http.outbound import checked_headers
from alicia.adapters.http.paging import PageRequest, decode_cursor, encode_cursor, page, read_page
from alicia.adapters.http.proxies import Proxies
from alicia.adapters.http.query import (
    query_choice,
    query_duration_ms,
    query_range_ms,
    query_switch,
    query_text,
    query_time_ms,
    query_whole,
)
from alicia.base.errors import BadField


def request(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


# --- hosts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        ("localhost", True),
        ("LocalHost:8024", True),
        ("localhost.", True),
        ("127.0.0.1:8024", True),
        ("192.168.7.7", True),
        ("[::1]:8024", True),
        ("[::1]", True),
        ("box", True),
        ("box.local:1", True),
        ("wide.example", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example:80@localhost", False),
        ("localhost:80:80", False),
        ("localhost:x", False),
        ("[localhost]", False),
        ("[::1", False),
        ("[::1]x", False),
        ("127.1", False),
        ("0x7f000001", False),
        ("", False),
        (" ", False),
    ],
)
def test_hosts(header: str, ours: bool) -> None:
    assert Hosts(["box", "box.local", "Wide.Example."]).allows(header) is ours


def test_the_machine_has_its_own_names() -> None:
    names = machine_names("bound.example", ("extra.example",))
    assert {"bound.example", "extra.example"} < set(names)
    assert any(name.endswith(".local") for name in names)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.1", False),
        ("localhost", False),  # a name says nothing until it is bound
        ("", False),
    ],
)
def test_loopback(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback


# --- origins -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "fetch_site", "foreign"),
    [
        (None, None, False),
        (None, "same-origin", False),
        (None, "none", False),
        (None, "same-site", True),
        (None, "cross-site", True),
        (None, "", True),
        ("http://alicia.example:8024", None, False),
        ("http://ALICIA.example:8024", "same-origin", False),
        ("https://alicia.example:8024", None, False),  # behind a proxy that ends TLS
        ("http://alicia.example:8024", "cross-site", True),
        ("http://alicia.example:8025", None, True),
        ("http://alicia.example", None, True),
        ("http://evil.example:8024", None, True),
        ("http://alicia.example:8024.evil", None, True),
        ("http://alicia.example:8024@evil", None, True),
        ("http://x@alicia.example:8024", None, True),
        ("ftp://alicia.example:8024", None, True),
        ("null", None, True),
        ("", None, True),
        ("http://[::1", None, True),
    ],
)
def test_origins(origin: str | None, fetch_site: str | None, foreign: bool) -> None:
    result = is_foreign(origin=origin, fetch_site=fetch_site, host="Alicia.example:8024")
    assert result is foreign


def test_default_ports_are_the_same_origin() -> None:
    assert not is_foreign(origin="http://a.example", fetch_site=None, host="a.example:80")
    assert not is_foreign(origin="https://a.example:443", fetch_site=None, host="a.example")
    assert not is_foreign(origin="http://[::1]:8024", fetch_site=None, host="[::1]:8024")


# --- delays --------------------------------------------------------------------------------


def test_delays_double_up_to_the_bound_and_forget() -> None:
    delays = Delays()
    waits = []
    for step in range(12):
        waits.append(delays.fail("10.0.0.1", now_ms=step))
        delays.answered("10.0.0.1")
    assert waits[:4] == [250, 500, 1000, 2000]
    assert waits[-1] == 30_000
    assert delays.fail("10.0.0.2", now_ms=12) == 250, "another address is not concerned"
    assert delays.fail("10.0.0.1", now_ms=20 * 60_000) == 250


def test_few_wait_at_once() -> None:
    delays = Delays()
    waits = [delays.fail("::1", now_ms=0) for _ in range(9)]
    assert None not in waits[:8]
    assert waits[8] is None
    delays.answered("::1")
    assert delays.fail("::1", now_ms=0) is not None


def test_one_ipv6_customer_is_one_address() -> None:
    delays = Delays()
    assert delays.fail("2001:db8:1:2::1", now_ms=0) == 250
    assert delays.fail("2001:db8:1:2:ffff::9", now_ms=0) == 500
    assert delays.fail("2001:db8:1:3::1", now_ms=0) == 250
    assert delays.fail("::ffff:10.0.0.1", now_ms=0) == 250
    assert delays.fail("::ffff:10.0.0.2", now_ms=0) == 250


def test_many_addresses_take_bounded_memory() -> None:
    delays = Delays()
    for number in range(6000):
        delays.fail(f"10.1.{number >> 8}.{number & 255}", now_ms=number)
    assert delays.fail("10.1.0.0", now_ms=6000) == 250, "the oldest was forgotten"
    assert delays.fail("10.1.23.111", now_ms=6000) == 500, "the newest was not"


# --- bodies --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"hello", ""),
        (b"hello", "identity"),
        (gzip.compress(b"hello", mtime=0), "gzip"),
        (gzip.compress(b"hello", mtime=0), "X-GZIP"),
        (gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0), "gzip"),
        (zlib.compress(b"hello"), "deflate"),
        (zlib.compress(b"hello", wbits=-15), "deflate"),
    ],
)
def test_inflate(body: bytes, encoding: str) -> None:
    assert inflate(body, encoding, bytes_max=5) == b"hello"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_refused_at_the_cap(encoding: str) -> None:
    compress: Callable[[bytes], bytes] = gzip.compress if encoding == "gzip" else zlib.compress
    with pytest.raises(BodyTooLarge):
        inflate(compress(bytes(10_000_000)), encoding, bytes_max=1000)


def test_a_chain_of_members_is_no_way_around_the_cap() -> None:
    with pytest.raises(BodyTooLarge):
        inflate(gzip.compress(bytes(11)) * 100, "gzip", bytes_max=1099)
    assert inflate(gzip.compress(bytes(11)) * 100, "gzip", bytes_max=1100) == bytes(1100)


def test_more_than_a_hundred_members_are_refused_whatever_they_hold() -> None:
    with pytest.raises(BadBody, match="more than 100"):
        inflate(gzip.compress(b"") * 101, "gzip")


@pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 500_000])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_bodies_of_several_pieces_inflate_to_the_last_byte(size: int, encoding: str) -> None:
    body = random.Random(size).randbytes(size)
    packed = gzip.compress(body[:9]) + gzip.compress(body[9:])
    packed = packed if encoding == "gzip" else zlib.compress(body)
    assert inflate(packed, encoding, bytes_max=size) == body
    with pytest.raises(BodyTooLarge, match=f"larger than {size - 1} bytes"):
        inflate(packed, encoding, bytes_max=size - 1)
    with pytest.raises(BadBody):
        inflate(packed[:-1], encoding)


@pytest.mark.parametrize(
    ("body", "encoding", "error"),
    [
        (b"hello", "gzip", BadBody),
        (gzip.compress(b"hello", mtime=0)[:-4], "gzip", BadBody),
        (gzip.compress(b"hello", mtime=0) + b"trailing", "gzip", BadBody),
        (b"\xff\xff", "deflate", BadBody),
        (b"x", "br", WrongType),
        (gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "gzip, gzip", WrongType),
        (b"x", "gzip,br", WrongType),
    ],
)
def test_what_does_not_inflate(body: bytes, encoding: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        inflate(body, encoding)


@pytest.mark.parametrize(
    ("headers", "types", "fine"),
    [
        ([], JSON_ONLY, True),
        ([(b"content-length", b"0")], JSON_ONLY, True),
        ([(b"content-length", b"2")], JSON_ONLY, False),
        ([(b"transfer-encoding", b"chunked")], JSON_ONLY, False),
        ([(b"content-length", b"2"), (b"content-type", b"application/json")], JSON_ONLY, True),
        (
            [(b"content-length", b"2"), (b"content-type", b"Application/JSON; charset=utf-8")],
            JSON_ONLY,
            True,
        ),
        ([(b"content-length", b"2"), (b"content-type", b"text/plain")], JSON_ONLY, False),
        ([(b"content-length", b"2"), (b"content-type", b"text/plain")], ("text/plain",), True),
        ([(b"content-length", b"2"), (b"content-type", b"application/jsonx")], JSON_ONLY, False),
        ([(b"content-length", b"2")], ANY_TYPE, True),
    ],
)
def test_content_types(headers: list[tuple[bytes, bytes]], types: Any, fine: bool) -> None:
    if fine:
        check_type(headers, types)
    else:
        with pytest.raises(WrongType):
            check_type(headers, types)


# --- proxies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        (("10.0.0.0/8",), "10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (("10.0.0.0/8",), "10.0.0.1", "1.2.3.4, 10.9.9.9", "1.2.3.4"),
        (("10.0.0.0/8",), "10.0.0.1", "10.2.2.2", "10.2.2.2"),
        (("10.0.0.0/8",), "10.0.0.1", "evil", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", None, "10.0.0.1"),
        (("10.0.0.0/8",), "11.0.0.1", "1.2.3.4", "11.0.0.1"),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
    ],
)
def test_the_client_behind_proxies(
    trusted: tuple[str, ...], peer: str, forwarded: str | None, client: str
) -> None:
    headers = {} if forwarded is None else {b"x-forwarded-for": forwarded}
    assert Proxies(trusted).client(peer, headers) == client


def test_only_a_trusted_proxy_speaks_of_tls() -> None:
    headers = [(b"x-forwarded-proto", b"https")]
    assert Proxies(["10.0.0.1"]).https("10.0.0.1", headers)
    assert not Proxies(["10.0.0.1"]).https("10.0.0.2", headers)
    assert not Proxies().https("10.0.0.1", headers)
    assert not Proxies(["10.0.0.1"]).https("10.0.0.1", [])
    with pytest.raises(BadField, match="TRUSTED_PROXIES"):
        Proxies(["proxy.example"])


# --- query parameters ----------------------------------------------------------------------


def test_query_parameters() -> None:
    assert query_text(request("a=b%20c"), "a") == "b c"
    assert query_text(request("a="), "a") is None
    assert query_whole(request("n=7"), "n", default=1, minimum=0, maximum=9) == 7
    assert query_whole(request(""), "n", default=1, minimum=0, maximum=9) == 1
    assert query_switch(request("s=TRUE"), "s", default=False) is True
    assert query_switch(request("s=0"), "s", default=True) is False
    assert query_switch(request(""), "s", default=True) is True
    assert query_time_ms(request("t=1000"), "t") == 1_000_000
    assert query_time_ms(request(""), "t") is None
    for second in ("", ":00", ":00.0", ":00.000", ":00.000000", ":00.000000000"):
        for offset in ("+01:00", "+0100"):
            text = f"2026-11-25T01:00{second}{offset}"
            assert query_time_ms(request(f"t={text}"), "t") == 1_795_564_800_000
    assert query_time_ms(request("t=2026-11-25%2000:00"), "t") == 1_795_564_800_000
    assert query_range_ms(request("start=1&end=1")) == (1000, 1000)
    assert query_range_ms(request("start=2")) == (2000, None)
    with pytest.raises(BadField) as caught:
        query_range_ms(request("start=2&end=1"))
    assert caught.value.reason == "reversed_range"
    assert query_duration_ms(request("d=5m"), "d", default_ms=1) == 300_000
    assert query_choice(request("c=x"), "c", ("x", "y")) == "x"
    assert query_choice(request(""), "c", ("x", "y"), default="y") == "y"


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("n=10", lambda r: query_whole(r, "n", default=1, minimum=0, maximum=9)),
        ("n=-1", lambda r: query_whole(r, "n", default=1, minimum=0, maximum=9)),
        ("n=1.5", lambda r: query_whole(r, "n", default=1, minimum=0, maximum=9)),
        ("n=%C2%B2", lambda r: query_whole(r, "n", default=1, minimum=0, maximum=9)),
        ("n=" + "9" * 500, lambda r: query_whole(r, "n", default=1, minimum=0, maximum=9)),
        ("n=1&n=2", lambda r: query_whole(r, "n", default=1, minimum=0, maximum=9)),
        ("n=maybe", lambda r: query_switch(r, "n", default=False)),
        ("n=noon", lambda r: query_time_ms(r, "n")),
        ("n=1e400", lambda r: query_time_ms(r, "n")),
        ("n=long", lambda r: query_duration_ms(r, "n", default_ms=1)),
        ("n=z", lambda r: query_choice(r, "n", ("x", "y"))),
        ("n=" + "a" * 1025, lambda r: query_text(r, "n")),
    ],
)
def test_bad_parameters_are_named(query: str, read: Callable[[Request], object]) -> None:
    with pytest.raises(BadField) as caught:
        read(request(query))
    assert caught.value.loc == ("n",)


# --- paging --------------------------------------------------------------------------------


def test_pages_cover_a_list_without_gaps_or_repeats() -> None:
    items = [f"k{number:03d}" for number in range(25)]
    seen: list[str] = []
    wanted = PageRequest(limit=10)
    for expected in (10, 10, 5):
        part = page(items, lambda item: (item,), wanted)
        assert len(part.items) == expected
        seen += part.items
        if part.next_cursor is not None:
            wanted = read_page(request(f"limit=10&cursor={part.next_cursor}"))
    assert seen == items
    assert part.next_cursor is None


def test_a_page_survives_the_end_of_its_last_item() -> None:
    wanted = PageRequest(limit=2, after=("b",))
    assert page(["a", "c", "d"], lambda item: (item,), wanted).items == ["c", "d"]


def test_an_exactly_full_last_page_has_no_cursor() -> None:
    part = page(["a", "b"], lambda item: (item,), PageRequest(limit=2))
    assert part.body("things", list(part.items)) == {"things": ["a", "b"]}


@pytest.mark.parametrize("key", [("a",), (1,), (1.5,), ("ü/+ ",)])
def test_cursors_come_back(key: tuple[str | int | float]) -> None:
    assert decode_cursor(encode_cursor(*key)) == key
    assert decode_cursor(encode_cursor(7, *key), 2) == (7, *key)


@pytest.mark.parametrize("text", ["x", "!!!!", "bnVsbA", "W10", "e30", encode_cursor("a", "b")])
def test_foreign_cursors_are_refused(text: str) -> None:
    with pytest.raises(BadField, match="cursor"):
        decode_cursor(text)


@pytest.mark.parametrize(("items", "after"), [([1, 2], ("a",)), (["a", "b"], (1,))])
def test_a_cursor_of_another_list_is_refused(items: list[object], after: tuple[str | int]) -> None:
    with pytest.raises(BadField, match="cursor"):
        page(items, lambda item: (item,), PageRequest(2, after))  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("limit", ["0", "10001", "-1", "x"])
def test_limits_have_bounds(limit: str) -> None:
    with pytest.raises(BadField, match="limit"):
        read_page(request(f"limit={limit}"))


# --- crowd ---------------------------------------------------------------------------------


class Connection:
    def __init__(self, address: str, stage: Stage = Stage.HEAD) -> None:
        self.address = address
        self.stage = stage
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_the_oldest_half_request_makes_room() -> None:
    crowd = Crowd(connections_max=3, per_address_max=2)
    busy, first, second = Connection("a", Stage.ANSWER), Connection("b"), Connection("c")
    assert all(crowd.enter(item) for item in (busy, first, second))
    assert crowd.enter(Connection("d"))
    assert (busy.aborted, first.aborted, second.aborted) == (False, True, False)
    assert len(crowd) == 3


def test_idle_connections_go_before_bodies() -> None:
    crowd = Crowd(connections_max=2, per_address_max=9)
    body, idle = Connection("a", Stage.BODY), Connection("a", Stage.IDLE)
    assert crowd.enter(body)
    assert crowd.enter(idle)
    assert crowd.enter(Connection("a"))
    assert idle.aborted
    assert not body.aborted


def test_nobody_who_is_answered_is_thrown_out() -> None:
    crowd = Crowd(connections_max=9, per_address_max=2)
    busy = [Connection("a", Stage.ANSWER) for _ in range(2)]
    assert all(crowd.enter(item) for item in busy)
    newcomer = Connection("a")
    assert not crowd.enter(newcomer)
    crowd.leave(newcomer)
    crowd.leave(newcomer)
    assert crowd.enter(Connection("b")), "another address is not concerned"
    crowd.leave(busy[0])
    assert crowd.enter(Connection("a"))


# --- headers of outgoing requests ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nHost: b"),
        ("X", "a\nb"),
        ("X", "a\0"),
        ("X", "☃"),
        ("X", "a" * 8193),
        ("X\r\nY", "a"),
        ("X:", "a"),
        ("", "a"),
        ("X Y", "a"),
        ("Host", "evil"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
    ],
)
def test_headers_that_are_not_sent(name: str, value: str) -> None:
    with pytest.raises(BadField) as caught:
        checked_headers({name: value})
    assert caught.value.loc[0] == "headers"


def test_headers_that_are_sent() -> None:
    sent = dict(checked_headers({"Authorization": "Bearer x", "accept": "text/plain"}))
    assert sent[b"authorization"] == b"Bearer x"
    assert sent[b"accept"] == b"text/plain"
    assert sent[b"accept-encoding"] == b"identity"


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("br, GZIP ;q=0.5", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("gzip;q=high", False),
        (";;,=", False),
    ],
)
def test_gzip_is_sent_to_those_who_take_it(header: str, takes: bool) -> None:
    assert takes_gzip(header) is takes


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/api/v1/query", 405, {"status": "error", "errorType": "bad_data", "error": "why"}),
        ("/api/v1/series", 404, {"status": "error", "errorType": "not_found", "error": "why"}),
        ("/api/v1/labels", 500, {"status": "error", "errorType": "internal", "error": "why"}),
        ("/api/v1/rejects", 405, None),
    ],
)
def test_prometheus_paths_answer_in_its_envelope(
    path: str, status: int, body: dict[str, str] | None
) -> None:
    answered = plain_answer(status, "why", path=path)
    assert answered.status_code == status
    assert (answered.media_type == "application/json") is (body is not None)
    if body is not None:
        assert json.loads(answered.body) == body

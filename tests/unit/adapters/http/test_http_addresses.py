"""The SSRF table (security.md §5, S4): every spelling, every special network."""

import ipaddress

import pytest

from alicia.adapters.http.addresses import Reach, parse_address, reach_of
from alicia.adapters.http.targets import Allow, OutboundRefused, judge, parse_target
from alicia.base.errors import BadField

# address | reach. The first and last of a network stand beside their public neighbours.
REACHES = """
8.8.8.8                    public
1.1.1.1                    public
0.0.0.0                    never
0.255.255.255              never
1.0.0.0                    public
9.255.255.255              public
10.0.0.0                   local
10.255.255.255             local
11.0.0.0                   public
100.63.255.255             public
100.64.0.0                 local
100.127.255.255            local
100.128.0.0                public
126.255.255.255            public
127.0.0.1                  local
127.255.255.255            local
128.0.0.0                  public
169.253.255.255            public
169.254.0.0                never
169.254.169.254            never
169.254.255.255            never
169.255.0.0                public
172.15.255.255             public
172.16.0.0                 local
172.31.255.255             local
172.32.0.0                 public
192.0.0.8                  never
192.0.2.1                  never
192.88.99.1                never
192.167.255.255            public
192.168.0.0                local
192.168.255.255            local
192.169.0.0                public
198.17.255.255             public
198.18.0.1                 never
198.19.255.255             never
198.51.100.7               never
203.0.113.7                never
223.255.255.255            public
224.0.0.1                  never
239.255.255.255            never
240.0.0.1                  never
255.255.255.255            never
::                         never
::1                        local
::7f00:1                   local
::8.8.8.8                  public
::ffff:127.0.0.1           local
::ffff:10.1.2.3            local
::ffff:169.254.169.254     never
::ffff:8.8.8.8             public
64:ff9b::7f00:1            local
64:ff9b::a9fe:a9fe         never
64:ff9b::808:808           public
64:ff9b:1::1               never
2002:7f00:1::              local
2002:a9fe:a9fe::1          never
2002:808:808::1            public
2001::1                    never
2001:0:ffff::              never
2001:4860:4860::8888       public
2001:db8::1                never
2606:4700::1111            public
3fff::1                    never
100::1                     never
fc00::1                    local
fd00::1                    local
fd00:ec2::254              never
fe80::1                    never
febf::1                    never
fec0::1                    never
ff02::1                    never
4000::1                    never
"""


@pytest.mark.parametrize("line", REACHES.strip().splitlines())
def test_reach(line: str) -> None:
    text, reach = line.split()
    assert reach_of(ipaddress.ip_address(text)) is Reach(reach)


@pytest.mark.parametrize(
    "host",
    [
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "127.0.0.01",
        "127.0.0.0x1",
        "1.2.3.4.5",
        "256.0.0.1",
        "fe80::1%eth0",
        "1::2::3",
        "x:y",
        "127.0.0.1.1",
        "0",
    ],
)
def test_odd_spellings_are_refused_not_guessed(host: str) -> None:
    with pytest.raises(ValueError):
        parse_address(host)


@pytest.mark.parametrize("host", ["example.org", "a1", "0x7f.example", "1.2.3.4x", "x.1a"])
def test_names_are_no_addresses(host: str) -> None:
    assert parse_address(host) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://a@b/",
        "http://a:b@127.0.0.1/",
        "http://@127.0.0.1/",
        "http://[x]/",
        "http://[127.0.0.1]/",
        "http://[::1",
        "http://::1/",
        "http://[fe80::1%25eth0]/",
        "http:///path",
        "http://",
        "//host/",
        "host",
        "file:///etc/passwd",
        "gopher://host/",
        "ftp://host/",
        "javascript:alert(1)",
        "http://host:0/",
        "http://host:99999/",
        "http://host:x/",
        "http://ho st/",
        "http://host/\r\nX: y",
        "http://host/\0",
        "http://host\\@evil/",
        "http://münchen.example/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://host/" + "a" * 2048,
        "http://-host/",
        "http://a..b/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://2130706433/",
    ],
)
def test_urls_that_parsers_disagree_about_are_refused(url: str) -> None:
    with pytest.raises(OutboundRefused) as caught:
        parse_target(url, field="action.url")
    assert caught.value.loc == ("action.url",)


def test_a_target_keeps_what_matters() -> None:
    target = parse_target("HTTPS://Example.org.:8443/a/b?c=d#e")
    assert (target.scheme, target.host, target.port) == ("https", "example.org", 8443)
    assert target.path == "/a/b?c=d"
    assert target.authority == "example.org:8443"
    assert parse_target("https://example.org").authority == "example.org"
    assert parse_target("http://[::1]/").authority == "[::1]"
    assert parse_target("http://[2001:DB8::1]:81").origin == "[2001:db8::1]:81"


def verdict(url: str, *addresses: str, allow: tuple[str, ...] = (), local_ok: bool = False) -> str:
    try:
        judge(
            parse_target(url),
            [ipaddress.ip_address(address) for address in addresses],
            allow=Allow(allow),
            local_ok=local_ok,
        )
    except OutboundRefused as refused:
        return str(refused)
    return "fine"


def test_one_bad_record_refuses_the_name() -> None:
    assert verdict("http://x.example/", "8.8.8.8") == "fine"
    assert "127.0.0.1" in verdict("http://x.example/", "8.8.8.8", "127.0.0.1")
    assert "127.0.0.1" in verdict("http://x.example/", "127.0.0.1", "8.8.8.8")


def test_the_refusal_names_the_entry_to_add() -> None:
    refusal = verdict("http://nas.example:81/x", "192.168.1.5")
    assert "add nas.example:81 to OUTBOUND_ALLOW" in refusal
    assert verdict("http://nas.example:81/x", "192.168.1.5", allow=("nas.example:81",)) == "fine"


@pytest.mark.parametrize(
    ("allow", "fine"),
    [
        ("nas.example", True),
        ("nas.example:81", True),
        ("NAS.example", True),
        ("nas.example:82", False),
        ("other.example", False),
        ("192.168.1.0/24", True),
        ("192.168.1.5", True),
        ("192.168.2.0/24", False),
    ],
)
def test_allowed_targets(allow: str, fine: bool) -> None:
    assert (verdict("http://nas.example:81/", "192.168.1.5", allow=(allow,)) == "fine") is fine


@pytest.mark.parametrize(
    ("allow", "fine"),
    [
        ("[fd00::1]", True),
        ("[FD00:0::1]", True),
        ("[fd00::1]:81", True),
        ("fd00::1", True),
        ("fd00::/8", True),
        ("[fd00::2]", False),
        ("[fd00::1]:82", False),
    ],
)
def test_allowed_targets_of_six(allow: str, fine: bool) -> None:
    assert (verdict("http://[fd00::1]:81/", "fd00::1", allow=(allow,)) == "fine") is fine


def test_an_embedded_address_is_allowed_as_what_it_is() -> None:
    allow = ("192.168.1.0/24",)
    assert verdict("http://nas.example/", "::ffff:192.168.1.5", allow=allow) == "fine"


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"])
def test_nothing_allows_what_is_never_reached(address: str) -> None:
    everything = ("0.0.0.0/0", "::/0", "x.example")
    assert verdict("http://x.example/", address, allow=everything, local_ok=True) != "fine"


@pytest.mark.parametrize(
    "entry", ["", "a b", "http://host", "10.0.0.0/40", "host:port", "[::1", "[ab]", "[ab]:1"]
)
def test_a_bad_entry_is_named(entry: str) -> None:
    with pytest.raises(BadField, match="OUTBOUND_ALLOW"):
        Allow([entry])

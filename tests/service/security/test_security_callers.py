"""Tokens, roles, sessions and delays, in process (security.md §3; S14, S15)."""

import asyncio
import base64
import errno
from pathlib import Path

import pytest
from tests.service.security.guarded import Service, listener, make_service

from alicia.adapters.http.guard import OpenToAll
from alicia.adapters.http.roles import Caller, Role
from alicia.adapters.http.sessions import COOKIE, SESSION_MS
from alicia.adapters.http.tokens import YEAR_MS

REMOTE = "10.0.0.7"
MAY = {
    Role.VIEWER: {"viewer", "public"},
    Role.OPERATOR: {"viewer", "operator", "public"},
    Role.EDITOR: {"viewer", "operator", "editor", "public"},
    Role.ADMIN: {"viewer", "operator", "editor", "admin", "ingest", "public"},
    Role.INGEST: {"ingest", "public"},
    None: {"public"},
}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("held", list(MAY), ids=lambda role: role.value if role else "nobody")
async def test_all_roles_on_all_routes(exposed: Service, held: Role | None) -> None:
    headers = bearer(exposed.token(held)) if held else {}
    async with exposed.client(REMOTE, headers=headers) as client:
        for wanted in Role:
            reply = await client.get(f"/{wanted.value}")
            fine = wanted.value in MAY[held]
            assert reply.status_code == (200 if fine else 403 if held else 401), wanted
            if not fine:
                assert wanted.value in reply.json()["detail"]
        assert (await client.get("/health")).status_code == 200


async def test_loopback_is_open_and_still_judges_what_is_shown(service: Service) -> None:
    async with service.client() as client:
        assert (await client.get("/admin")).status_code == 200
        assert (await client.get("/admin", headers=bearer("alicia_wrong"))).status_code == 401
        viewer = bearer(service.token(Role.VIEWER))
        assert (await client.get("/viewer", headers=viewer)).status_code == 200
        assert (await client.get("/admin", headers=viewer)).status_code == 403


async def test_a_token_is_a_password_too(exposed: Service) -> None:
    secret = exposed.token(Role.VIEWER)
    async with exposed.client(REMOTE, auth=("anybody", secret)) as client:
        assert (await client.get("/viewer")).status_code == 200
    async with exposed.client(REMOTE, auth=(secret, "")) as client:
        assert (await client.get("/viewer")).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Digest x",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "x" * 9000,
    ],
)
async def test_unreadable_credentials_are_wrong_ones(exposed: Service, header: str) -> None:
    async with exposed.client(REMOTE) as client:
        reply = await client.get("/viewer", headers={"Authorization": header})
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert exposed.slept == [0.25]


async def test_a_token_in_the_url_is_no_credential(exposed: Service) -> None:
    secret = exposed.token(Role.ADMIN)
    async with exposed.client(REMOTE) as client:
        assert (await client.get(f"/viewer?token={secret}")).status_code == 401
        assert (await client.get(f"/viewer?access_token={secret}")).status_code == 401


async def test_tokens_end(exposed: Service) -> None:
    short = exposed.token(Role.VIEWER, lifetime_ms=1000)
    long = exposed.token(Role.VIEWER)
    async with exposed.client(REMOTE) as client:
        assert (await client.get("/viewer", headers=bearer(short))).status_code == 200
        exposed.clock.ms += 1000
        reply = await client.get("/viewer", headers=bearer(short))
        assert reply.status_code == 401
        assert "expired" in reply.json()["detail"]
        assert (await client.get("/viewer", headers=bearer(long))).status_code == 200
        exposed.clock.ms += YEAR_MS
        assert (await client.get("/viewer", headers=bearer(long))).status_code == 401


async def test_a_revoked_token_ends_at_once(exposed: Service) -> None:
    secret = exposed.token(Role.VIEWER)
    token = exposed.guard.tokens.find(secret)
    assert token is not None
    async with exposed.client(REMOTE) as client:
        signed = await client.post("/session", json={"token": secret})
        assert signed.status_code == 200
        assert (await client.get("/viewer")).status_code == 200, "by its session"
        exposed.guard.tokens.revoke(token.id)
        assert (await client.get("/viewer")).status_code == 401
        assert (await client.get("/viewer", headers=bearer(secret))).status_code == 401


async def test_a_full_disk_keeps_nobody_out_and_spoils_no_stop(
    exposed: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    headers = bearer(exposed.token(Role.VIEWER))

    def full(_path: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("alicia.adapters.http.tokens.write_atomically", full)
    async with exposed.client(REMOTE, headers=headers) as client:
        assert (await client.get("/viewer")).status_code == 200
    await exposed.guard.settled()
    assert "cannot be stored: [Errno 28] No space left" in caplog.text


async def test_tokens_that_cannot_be_read_are_a_fault_of_ours(
    exposed: Service, tmp_path: Path
) -> None:
    headers = bearer(exposed.token(Role.VIEWER))
    (tmp_path / "tokens.json").unlink()
    (tmp_path / "tokens.json").mkdir()
    async with exposed.client(REMOTE, headers=headers) as client:
        reply = await client.get("/viewer")
    assert reply.status_code == 500
    assert "its log has the details" in reply.json()["detail"]
    caller = Caller(Role.VIEWER, REMOTE, token_id="tok_1")
    assert not exposed.guard.still_lets_in(caller)


async def test_the_service_of_a_token_is_known(exposed: Service) -> None:
    headers = bearer(exposed.token(Role.INGEST, service="weather"))
    async with exposed.client(REMOTE, headers=headers) as client:
        assert (await client.post("/ingest")).json() == {"role": "ingest", "service": "weather"}


async def test_use_is_noted_but_not_each_time(exposed: Service) -> None:
    secret = exposed.token(Role.VIEWER)
    token = exposed.guard.tokens.find(secret)
    assert token is not None
    begun = exposed.clock.ms
    async with exposed.client(REMOTE, headers=bearer(secret)) as client:
        for _ in range(3):
            await client.get("/viewer")
            await exposed.guard.settled()
            exposed.clock.ms += 1000
        stored = exposed.guard.tokens.by_id(token.id)
        assert stored is not None
        assert stored.last_used_ms == begun


# Sessions


async def test_signing_in_and_out(exposed: Service) -> None:
    secret = exposed.token(Role.OPERATOR)
    async with exposed.client(REMOTE) as client:
        who = (await client.get("/session")).json()
        assert (who["role"], who["signed_in"], who["exposed"]) == (None, False, True)

        reply = await client.post("/session", json={"token": secret})
        assert reply.json()["role"] == "operator"
        assert reply.json()["expires"] == (exposed.clock.ms + SESSION_MS) / 1000
        cookie = reply.headers["set-cookie"]
        for flag in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="):
            assert flag in cookie
        assert "Secure" not in cookie
        assert secret not in cookie

        assert (await client.get("/operator")).status_code == 200
        assert (await client.get("/session")).json()["signed_in"] is True
        assert (await client.delete("/session")).status_code == 204
        assert (await client.get("/operator")).status_code == 401


async def test_a_session_ends_with_its_time(exposed: Service) -> None:
    async with exposed.client(REMOTE) as client:
        await client.post("/session", json={"token": exposed.token(Role.VIEWER)})
        exposed.clock.ms += SESSION_MS - 1
        assert (await client.get("/viewer")).status_code == 200
        exposed.clock.ms += 1
        assert (await client.get("/viewer")).status_code == 401
        assert exposed.slept == [], "an old cookie is no attack"


async def test_a_cookie_is_secure_under_tls(exposed: Service) -> None:
    async with exposed.client(REMOTE, base_url="https://localhost") as client:
        reply = await client.post("/session", json={"token": exposed.token(Role.VIEWER)})
    assert "; Secure" in reply.headers["set-cookie"]


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "." * 300, "é"])
async def test_a_made_up_cookie_signs_nobody_in(exposed: Service, cookie: str) -> None:
    headers = {"Cookie": f"a=b; {COOKIE}={cookie}".encode()}
    async with exposed.client(REMOTE) as client:
        assert (await client.get("/viewer", headers=headers)).status_code == 401


@pytest.mark.parametrize("body", [{}, {"token": 5}, {"token": ""}, {"token": "x" * 300}, []])
async def test_a_strange_sign_in_is_explained(exposed: Service, body: object) -> None:
    async with exposed.client(REMOTE) as client:
        assert (await client.post("/session", json=body)).status_code == 422


async def test_a_foreign_page_cannot_sign_in(exposed: Service) -> None:
    async with exposed.client(REMOTE, headers={"Origin": "http://evil.example"}) as client:
        reply = await client.post("/session", json={"token": exposed.token(Role.ADMIN)})
    assert reply.status_code == 403


# S15: guessing


async def test_wrong_sign_ins_wait_and_the_right_one_does_not(exposed: Service) -> None:
    secret = exposed.token(Role.ADMIN)
    async with exposed.client(REMOTE) as client:
        for number in range(1000):
            reply = await client.post("/session", json={"token": f"alicia_{number:064x}"})
            assert reply.status_code == 401
        assert exposed.slept[:4] == [0.25, 0.5, 1.0, 2.0]
        assert set(exposed.slept[10:]) == {30.0}
        slept = len(exposed.slept)
        assert (await client.post("/session", json={"token": secret})).status_code == 200
        assert (await client.get("/admin", headers=bearer(secret))).status_code == 200
        assert len(exposed.slept) == slept
    async with exposed.client("10.0.0.8") as client:
        await client.get("/viewer", headers=bearer("wrong"))
        assert exposed.slept[-1] == 0.25, "another address is not concerned"


async def test_guessing_in_parallel_gains_nothing(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await release.wait()

    service = make_service(tmp_path, loopback=False, sleep=sleep)
    async with service.client(REMOTE) as client:
        guesses = [
            asyncio.create_task(client.get("/viewer", headers=bearer(f"wrong{n}")))
            for n in range(20)
        ]
        early, _ = await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().status_code for task in early} == {429}
        release.set()
        codes = [reply.status_code for reply in await asyncio.gather(*guesses)]
    assert (codes.count(401), codes.count(429)) == (8, 12)


async def test_a_proxy_we_trust_does_not_pay_for_its_clients(tmp_path: Path) -> None:
    service = make_service(tmp_path, loopback=False, proxies=["10.0.0.0/8"])
    async with service.client("10.0.0.1") as client:
        for number in range(3):
            headers = {**bearer("wrong"), "X-Forwarded-For": f"1.2.3.{number}"}
            await client.get("/viewer", headers=headers)
    assert service.slept == [0.25] * 3


# Where we listen


def test_nobody_is_let_in_beyond_this_machine_without_tokens(exposed: Service) -> None:
    with pytest.raises(OpenToAll, match="alicia token create"):
        exposed.guard.admit(listener(loopback=False))
    exposed.token(Role.ADMIN)
    exposed.guard.admit(listener(loopback=False))
    assert exposed.guard.exposed


async def test_insecure_is_open_to_all(tmp_path: Path) -> None:
    service = make_service(tmp_path, loopback=False, insecure=True)
    service.guard.admit(listener(loopback=False))
    async with service.client(REMOTE) as client:
        assert (await client.get("/admin")).status_code == 200
        assert (await client.get("/session")).json()["insecure"] is True

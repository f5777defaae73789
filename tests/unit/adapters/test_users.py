import os
import pwd

import pytest

from alicia.adapters.users import user_name


def test_a_user_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "somebody-else")
    assert pwd.getpwnam(user_name()).pw_uid == os.geteuid()


def test_a_user_without_an_entry_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 987_654)
    assert user_name() == "987654"

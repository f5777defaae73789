from pathlib import Path

import pytest

from alicia.adapters.settings import BadSetting, Tier, load_settings, setting_keys, show_settings


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    settings = load_settings(environment={"HOME": "/home/a"}, folder=tmp_path)
    assert settings.data_dir == Path("/home/a/.local/share/alicia")
    assert (settings.host, settings.collector_port, settings.scheduler_port) == (
        "127.0.0.1",
        8024,
        8025,
    )
    assert settings.collection_interval_ms == 30_000
    assert settings.system_metrics_interval_ms == 60_000
    assert settings.retention_ms == 3_600_000
    assert settings.max_samples_per_series == 1000
    assert settings.rollups == (Tier(60_000, 604_800_000), Tier(3_600_000, 63_072_000_000))
    assert (settings.max_series, settings.max_series_per_service) == (200_000, 10_000)
    assert (settings.workers, settings.max_executions_per_event) == (10, 100)
    assert settings.topic_prefix == "alicia"


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("", ()), ("off", ()), ("on", ("*",)), ("stt, ai", ("stt", "ai"))],
)  # fmt: skip
def test_weights_are_sent_for_none_all_or_some(
    tmp_path: Path, text: str, chosen: tuple[str, ...]
) -> None:
    given = {"LOAD_BALANCER_WEIGHTS": text}
    assert load_settings(given, environment={}, folder=tmp_path).load_balancer_weights == chosen


def test_each_source_beats_the_one_below(tmp_path: Path) -> None:
    (tmp_path / "alicia.toml").write_text('workers = 2\nhost = "127.0.0.2"\ntopic_prefix = "t"\n')
    (tmp_path / ".env").write_text("ALICIA_WORKERS=3\nALICIA_HOST=127.0.0.3\n")
    environment = {"HOME": "/home/a", "ALICIA_WORKERS": "4"}
    settings = load_settings({"WORKERS": "5"}, environment=environment, folder=tmp_path)
    assert (settings.workers, settings.host, settings.topic_prefix) == (5, "127.0.0.3", "t")
    assert settings.origins["WORKERS"] == "flag"
    assert settings.origins["HOST"] == ".env"
    assert settings.origins["TOPIC_PREFIX"] == "alicia.toml"
    assert settings.origins["DATA_DIR"] == "default"


def test_the_older_broker_variables_are_understood(tmp_path: Path) -> None:
    environment = {"MQTT_BROKER": "h", "MQTT_USERNAME": "u@x", "MQTT_PASSWORD": "p/w"}
    settings = load_settings(environment=environment, folder=tmp_path)
    assert settings.mqtt_url == "mqtt://u%40x:p%2Fw@h:1883"
    newer = {**environment, "ALICIA_MQTT_URL": "mqtt://other"}
    assert load_settings(environment=newer, folder=tmp_path).mqtt_url == "mqtt://other"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("COLLECTOR_PORT", "70000"),
        ("COLLECTOR_PORT", "http"),
        ("COLLECTION_INTERVAL", "0s"),
        ("RETENTION", "soon"),
        ("MQTT_URL", "http://x"),
        ("MQTT_URL", "mqtt://"),
        ("MQTT_URL", "mqtt://h:port"),
        ("DATABASE_URL", "mysql://x/y"),
        ("ROLLUPS", "1m"),
        ("WAL_SYNC", "never"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TOPIC_PREFIX", "a/b"),
        ("TOPIC_PREFIX", ""),
        ("WORKERS", "0"),
        ("MIN_FREE_DISK", "plenty"),
        ("MIN_FREE_DISK", "infGB"),
        ("MIN_FREE_DISK", "infkb"),
        ("MIN_FREE_DISK", "-5"),
        ("MIN_FREE_DISK", "-0.1GB"),
        ("DATA_DIR", ""),
        ("DATA_DIR", "a\0b"),
        ("DATA_DIR", "~nobody-of-this-name/x"),
        ("LOG_LEVEL", "loud"),
        ("HOME_ASSISTANT", "perhaps"),
    ],
)
def test_a_bad_value_names_key_and_source(key: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings({key: text}, environment={}, folder=tmp_path)
    assert f"{key} (flag)" in str(caught.value)


@pytest.mark.parametrize(
    "key", [key for key, item in setting_keys().items() if item.metadata["secret"]]
)
@pytest.mark.parametrize(
    "text",
    [
        "ftp://u:s3cret@h",
        "{0}u:s3cret/x@h:1",
        "{0}u:s3cret@h:port",
        "{0}s3cret[",
        "{0}s3cret\u2100@h",
    ],
)
def test_a_mistyped_secret_stays_out_of_the_error(key: str, text: str, tmp_path: Path) -> None:
    scheme = {"MQTT_URL": "mqtt://", "DATABASE_URL": "postgres://"}.get(key, "http://")
    with pytest.raises(BadSetting) as caught:
        load_settings({key: text.format(scheme)}, environment={}, folder=tmp_path)
    assert "s3cret" not in str(caught.value)
    assert f"write {scheme}" in str(caught.value).replace("postgresql", "postgres")


def test_secrets_stay_out_of_errors_and_lists(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings({"MQTT_URL": "ftp://u:s3cret@h"}, environment={}, folder=tmp_path)
    assert "s3cret" not in str(caught.value)
    settings = load_settings({"MQTT_URL": "mqtt://u:s3cret@h"}, environment={}, folder=tmp_path)
    rows = {row["key"]: row["value"] for row in show_settings(settings)}
    assert rows["MQTT_URL"] == "***"
    assert rows["RETENTION"] == "1h"
    assert set(rows) == set(setting_keys())


def test_files_with_faults_are_named(tmp_path: Path) -> None:
    (tmp_path / "alicia.toml").write_text("colour = 1\n")
    with pytest.raises(BadSetting, match="no setting COLOUR"):
        load_settings(environment={}, folder=tmp_path)
    (tmp_path / "alicia.toml").write_text("workers = [")
    with pytest.raises(BadSetting, match="not TOML"):
        load_settings(environment={}, folder=tmp_path)


@pytest.mark.parametrize("name", ["alicia.toml", ".env"])
def test_a_file_that_cannot_be_read_is_named_and_not_passed_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadSetting, match=rf"{name}: cannot be read: not UTF-8; mend it"):
        load_settings(environment={}, folder=tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(BadSetting, match=rf"{name}: cannot be read: Is a directory; mend it"):
        load_settings(environment={}, folder=tmp_path)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("collector_port = true", r"COLLECTOR_PORT \(alicia.toml\): 'on' .* write a whole number"),
        ("collector_port = 1.5", r"COLLECTOR_PORT \(alicia.toml\): '1.5' .* write a whole number"),
        ('host = ["a", "b"]', "alicia.toml: host: write a text, a number, true or false"),
        ("host = {a = 1}", "alicia.toml: host: write a text, a number, true or false"),
        ("allowed_hosts = {a = 1}", "alicia.toml: allowed_hosts: write a text or a list of texts"),
        ("[table]", "alicia.toml: there is no setting TABLE"),
    ],
)
def test_a_wrong_type_is_no_text(tmp_path: Path, line: str, fault: str) -> None:
    (tmp_path / "alicia.toml").write_text(line)
    with pytest.raises(BadSetting, match=fault):
        load_settings(environment={}, folder=tmp_path)


def test_the_types_of_toml_are_understood(tmp_path: Path) -> None:
    lines = 'insecure = true\nallowed_hosts = ["a", "b"]\nworkers = 3\nhost = "::1"\n'
    (tmp_path / "alicia.toml").write_text("\ufeff" + lines, encoding="utf-8")
    settings = load_settings(environment={}, folder=tmp_path)
    assert (settings.insecure, settings.allowed_hosts) == (True, ("a", "b"))
    assert (settings.workers, settings.host) == (3, "::1")


def test_a_broken_line_of_dotenv_is_a_fault_only_where_it_is_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("no sense\nALICIA_WORKERS=3\nALICIA_FOREIGN=1\n")
    assert load_settings(environment={}, folder=tmp_path).workers == 3
    assert capsys.readouterr().err == ""
    (tmp_path / ".env").write_text('A=1\nALICIA_RETENTION="2h\n')
    with pytest.raises(BadSetting, match=r"\.env: line 2 cannot be read; write ALICIA_KEY=value"):
        load_settings(environment={}, folder=tmp_path)

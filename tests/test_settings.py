"""Settings are read once, say which one is wrong, and show no secret."""

from pathlib import Path

import pytest

from medianest.settings import WrongSetting, load, shown


def test_an_empty_secret_is_none_wherever_it_stands(tmp_path: Path) -> None:
    """It would be a secret that everybody knows: webhooks without `Authorization` would be let in."""
    file = tmp_path / "settings.toml"
    file.write_text('seerr_webhook_secret = ""')
    assert load(file, {}).seerr_webhook_secret is None
    assert load(None, {"MEDIANEST_SEERR_WEBHOOK_SECRET": ""}).seerr_webhook_secret is None


def test_settings_are_shown_without_their_secrets() -> None:
    assert "hush" not in str(shown(load(None, {"MEDIANEST_SEERR_API_KEY": "hush"})))


def test_a_folder_is_named_whole_from_wherever_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plex is asked for the library that shows it, and knows nothing of where we were started."""
    monkeypatch.chdir(tmp_path)
    settings = load(None, {"MEDIANEST_MEDIA": "films"}, data=Path("here"))
    assert (settings.media, settings.data) == (tmp_path / "films", tmp_path / "here")


def test_what_would_do_is_said_with_what_does_not(tmp_path: Path) -> None:
    for variable, value, said in (
        ("PROT", "1", "There is no setting `prot`. There are: port."),
        ("XYZZY", "1", "There are: data, media, database_url, "),
        ("LOG_FORMAT", "xml", "Choose one of: text, json."),
        ("SECURE_COOKIES", "maybe", "Write true or false."),
        ("UPTIME_KUMA_SERVICES", "plex", "Write plex=3 or "),
    ):
        with pytest.raises(WrongSetting) as wrong:
            load(None, {f"MEDIANEST_{variable}": value})
        assert said in str(wrong.value)


def test_a_file_that_is_no_text_is_told_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b'plex_client = "hush\xff"')
    for given, environment in ((file, {}), (None, {"MEDIANEST_SEERR_API_KEY_FILE": str(file)})):
        with pytest.raises(WrongSetting, match="text in UTF-8") as wrong:
            load(given, environment)
        assert "hush" not in str(wrong.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "x"), ("NOPE", "1"), ("PLEX_URL", "ftp://plex"), ("MASTER_KEY_FILE", "/nowhere/key"), ("REDIS_URL", "x")],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=f"(?i){name}"):
        load(None, {f"MEDIANEST_{name}": value})

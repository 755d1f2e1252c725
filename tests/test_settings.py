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


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "x"), ("NOPE", "1"), ("PLEX_URL", "ftp://plex"), ("MASTER_KEY_FILE", "/nowhere/key"), ("REDIS_URL", "x")],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=f"(?i){name}"):
        load(None, {f"MEDIANEST_{name}": value})

"""Which master key: the one of the settings, or one in the data folder for whoever has none; and whether it is the right one."""

from pathlib import Path
from tempfile import TemporaryDirectory

from medianest.eventstore.connections import Pool
from medianest.eventstore.vault import MasterKey, SealBroken, Vault
from medianest.secret import Secret
from medianest.settings import RUN_AS_OWNER, Settings, WrongSetting, writable


def master_key(settings: Settings) -> MasterKey:
    """The configured one, or the one in the data folder, made at the first start."""
    try:
        return MasterKey(_secret(settings))
    except ValueError as wrong:  # ours, or base64's: neither quotes it
        raise WrongSetting(
            "The setting `master_key` must be 32 bytes in URL-safe base64, as `medianest new-key` makes them."
        ) from wrong


def _secret(settings: Settings) -> Secret:
    if settings.master_key is not None:
        return settings.master_key
    if settings.database_url is not None:
        raise WrongSetting(
            "The setting `master_key` is missing: with a database of your own every process needs the same one."
            " Make it with `medianest new-key`, and keep it apart from the database's backups."
        )
    return _key_file(settings.data / "master.key")


def _key_file(file: Path) -> Secret:
    try:
        if not file.exists():
            writable(file.parent, "data")
            with TemporaryDirectory(dir=file.parent) as draft:  # whole, or not there: the disk may be full
                made = Path(draft, file.name)
                made.touch(mode=0o600)
                made.write_text(MasterKey.new().reveal(), encoding="ascii")
                made.replace(file)
        return Secret(file.read_text(encoding="ascii").strip())
    except OSError as refused:
        raise WrongSetting(
            f"The setting `data` cannot be used: {file} cannot be read or made ({refused.strerror}). {RUN_AS_OWNER}"
        ) from refused


async def vault_under(master: MasterKey, pool: Pool) -> Vault:
    """The vault, where the key is the one its people's keys were made with. Raises `WrongSetting` where it is not.

    Under another nobody's name would open, and whoever signed in would become somebody new.
    """
    vault = Vault(pool, master)
    try:
        await vault.check()
    except SealBroken as broken:
        raise WrongSetting(
            "The setting `master_key` (or `master.key` in the data folder, where it is not set) is not the key that this"
            " log's names are sealed under: put the right one back. If it is lost for good, `medianest events export`"
            " still takes the log out."
        ) from broken
    return vault

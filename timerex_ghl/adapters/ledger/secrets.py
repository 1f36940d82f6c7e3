"""The key that opens what the ledger keeps encrypted. It never lies in the database."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from timerex_ghl.domain.errors import SettingsError

VARIABLE = "TIMEREX_GHL_KEY"


class SecretKey:
    """One key, or several during a rotation: the first encrypts, all of them open."""

    def __init__(self, keys: str, *, source: str = VARIABLE) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
        except ValueError:
            raise SettingsError(
                f"{source} holds no key: make one with"
                " python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key())'"
            ) from None

    def encrypt(self, text: str) -> bytes:
        """Seal a text."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, sealed: bytes) -> str:
        """Open a sealed text.

        Raises:
            SettingsError: Another key sealed it.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise SettingsError(
                f"the ledger's secrets were sealed with another key: set {VARIABLE} to that one,"
                " or bring its key file back"
            ) from None


def load_key(home: Path) -> SecretKey:
    """Load the key: `TIMEREX_GHL_KEY`, else a file that is made at the first start.

    Raises:
        SettingsError: What is there is no key, or cannot be read.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return SecretKey(given)
    path = home / "key"
    return SecretKey(_read_or_make(path), source=f"the key file {path}")


def _read_or_make(path: Path) -> str:
    """Read the key file. Of several processes that start at once, one makes it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        return path.read_text(errors="replace").strip()
    except OSError as error:
        raise SettingsError(f"the key file {path} cannot be read: {error.strerror}") from None


def _make(path: Path) -> None:
    number, draft = tempfile.mkstemp(prefix="key.", dir=path.parent)  # 0600 from the start
    try:
        with os.fdopen(number, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # somebody was faster: theirs counts
            os.link(draft, path)
    finally:
        Path(draft).unlink()

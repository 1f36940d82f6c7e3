"""The key that encrypts the ledger's secrets. It is never stored in the database."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from timerex_ghl.domain.shared.errors import SettingsError

VARIABLE = "TIMEREX_GHL_KEY"


class SecretKey:
    """One key, or several during a rotation: the first encrypts, all decrypt."""

    def __init__(self, keys: str, *, source: str = VARIABLE) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
        except ValueError:
            raise SettingsError(
                f"{source} contains no valid key: create one with"
                " python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key())'"
            ) from None

    def encrypt(self, text: str) -> bytes:
        """Encrypt a text."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, sealed: bytes) -> str:
        """Decrypt a text.

        Raises:
            SettingsError: It was encrypted with another key.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise SettingsError(
                f"the ledger's secrets were encrypted with another key: set {VARIABLE} to it,"
                " or restore its key file"
            ) from None


def load_key(home: Path) -> SecretKey:
    """Load the key: `TIMEREX_GHL_KEY`, else a file created at the first start.

    Raises:
        SettingsError: The key is invalid, or the file cannot be read.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return SecretKey(given)
    path = home / "key"
    return SecretKey(_read_or_make(path), source=f"the key file {path}")


def _read_or_make(path: Path) -> str:
    """Read the key file. Of several processes that start at once, one creates it."""
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
        with suppress(FileExistsError):  # another process was faster: use its key
            os.link(draft, path)
    finally:
        Path(draft).unlink()

"""Reading the secret fields of a form: Prefect's UI saves an emptied field as an empty string."""

from pydantic import SecretStr


def plain(value: SecretStr | str | None) -> str:
    """Return the text without the surrounding whitespace of a paste."""
    if value is None:
        return ""
    return (value.get_secret_value() if isinstance(value, SecretStr) else value).strip()


def filled(value: SecretStr | str | None) -> bool:
    """Return whether anything was entered."""
    return plain(value) != ""

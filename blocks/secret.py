"""Reading the secret fields of a form: Prefect's UI saves an emptied field as an empty text."""

from pydantic import SecretStr


def plain(value: SecretStr | str | None) -> str:
    """Hand out the text, without blanks around it that came with a paste."""
    if value is None:
        return ""
    return (value.get_secret_value() if isinstance(value, SecretStr) else value).strip()


def filled(value: SecretStr | str | None) -> bool:
    """Tell whether anything was entered."""
    return plain(value) != ""

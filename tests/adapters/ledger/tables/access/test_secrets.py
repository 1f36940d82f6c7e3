"""The key: creating and loading it, and the errors of wrong keys."""

import multiprocessing
import os
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from timerex_ghl.adapters.ledger.tables.access.secrets import VARIABLE, SecretKey, load_key
from timerex_ghl.domain.shared.errors import SettingsError


@pytest.fixture(autouse=True)
def no_key_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def new_key() -> str:
    return Fernet.generate_key().decode()


def key_made_in(home: Path) -> str:
    load_key(home)
    return (home / "key").read_text()


def test_what_one_key_seals_it_opens_and_nobody_reads() -> None:
    key = SecretKey(new_key())

    sealed = key.encrypt("refresh-canary")

    assert b"refresh-canary" not in sealed
    assert key.decrypt(sealed) == "refresh-canary"


def test_a_rotated_key_opens_what_the_old_one_sealed_and_seals_anew() -> None:
    old, new = new_key(), new_key()
    sealed_before = SecretKey(old).encrypt("a")

    rotated = SecretKey(f"{new}, {old}")

    assert rotated.decrypt(sealed_before) == "a"
    assert SecretKey(new).decrypt(rotated.encrypt("b")) == "b"


def test_another_key_is_reported_in_one_line_without_the_secret() -> None:
    sealed = SecretKey(new_key()).encrypt("refresh-canary")

    with pytest.raises(SettingsError, match="encrypted with another key") as failure:
        SecretKey(new_key()).decrypt(sealed)

    assert "\n" not in str(failure.value)
    assert "refresh-canary" not in str(failure.value)


ONE_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.mark.parametrize("given", ["short", "鍵" * 22, ",", f"{ONE_KEY},"])
def test_what_is_no_key_is_reported_in_one_line_and_not_repeated(
    given: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, given)

    with pytest.raises(SettingsError, match=f"{VARIABLE} contains no valid key") as failure:
        load_key(tmp_path)

    assert "\n" not in str(failure.value)
    assert given.strip(",") not in str(failure.value) or given == ","


def test_the_variable_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = new_key()
    monkeypatch.setenv(VARIABLE, given)

    sealed = load_key(tmp_path).encrypt("a")

    assert SecretKey(given).decrypt(sealed) == "a"
    assert not (tmp_path / "key").exists()


def test_the_first_start_makes_a_file_only_its_owner_reads(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    sealed = load_key(home).encrypt("a")

    assert stat.S_IMODE((home / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert load_key(home).decrypt(sealed) == "a"


def test_of_threads_and_processes_that_start_at_once_one_makes_the_key(tmp_path: Path) -> None:
    spawned = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(8) as threads, ProcessPoolExecutor(2, spawned) as processes:
        made = {*processes.map(key_made_in, [tmp_path / "a"] * 4)}
        made_in_threads = {*threads.map(key_made_in, [tmp_path / "b"] * 16)}

    assert len(made) == len(made_in_threads) == 1
    assert [path.name for home in ("a", "b") for path in (tmp_path / home).iterdir()] == [
        "key",
        "key",
    ]


def test_a_start_that_was_killed_does_not_bar_the_next_one(tmp_path: Path) -> None:
    (tmp_path / f"key.{os.getpid()}").touch()  # in containers every start has the same process id

    assert load_key(tmp_path).decrypt(load_key(tmp_path).encrypt("a")) == "a"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"not a key"])
def test_a_spoilt_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)

    with pytest.raises(SettingsError, match=f"{tmp_path / 'key'} contains no valid key"):
        load_key(tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()

    with pytest.raises(SettingsError, match="cannot be read"):
        load_key(tmp_path)

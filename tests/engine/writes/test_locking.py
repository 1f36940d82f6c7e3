import os
import subprocess
import sys

from timerex_ghl.engine.writes.locking import holder_name, is_dead, machine


def test_this_process_lives() -> None:
    assert not is_dead(holder_name("run"))


def test_a_process_of_this_machine_that_ended_is_dead() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    holder = holder_name("run").replace(f":{os.getpid()}:", f":{int(ended.stdout)}:")

    assert is_dead(holder) == ("/" in machine())


def test_of_another_machine_s_process_nothing_is_known() -> None:
    assert not is_dead("elsewhere/abc/123:999999:run:00")
    assert not is_dead("999999")
    assert not is_dead("")

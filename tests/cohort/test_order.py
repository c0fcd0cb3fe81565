"""Results in the order of their jobs, and no more work ahead than a few jobs."""

import os
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from hipjsw.cohort.order import WorkerLostError, in_order


def touched(job):
    folder, number = job
    (folder / f"{number:04d}").touch()
    return number


def process_of(number):
    return os.getpid()


def killed_at_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def ignores_ctrl_c(number):
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def was_started_with_ctrl_c_held(number):
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def large(number):
    return np.zeros(9)


def fails(number):
    if number == 3:
        raise ValueError("the third")
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_and_progress_follows_them(tmp_path, workers):
    calls = []
    jobs = [(tmp_path, number) for number in range(30)]
    assert list(in_order(touched, jobs, workers, lambda done, total: calls.append((done, total)))) == list(range(30))
    assert calls == [(n, 30) for n in range(1, 31)]


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_done_before_it_is_asked_for_and_little_ahead(tmp_path, workers):
    results = in_order(touched, [(tmp_path, number) for number in range(400)], workers)
    assert not list(tmp_path.iterdir())
    assert next(results) == 0
    time.sleep(0.5)
    assert len(list(tmp_path.iterdir())) <= 5 * workers
    results.close()
    assert len(list(tmp_path.iterdir())) <= 5 * workers


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_arrives_where_its_result_would(workers):
    results = in_order(fails, range(6), workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(results)


def test_no_jobs_are_no_results():
    assert list(in_order(fails, [], 2)) == []


def test_more_workers_than_jobs_start_no_more_than_there_are_jobs(tmp_path):
    assert list(in_order(process_of, range(2), 64)) != [os.getpid()] * 2
    assert list(in_order(process_of, [0], 64)) == [os.getpid()]


def test_a_killed_worker_is_an_error_that_says_so():
    results = in_order(killed_at_three, range(40), 2)
    with pytest.raises(WorkerLostError, match=r"killed, most likely because memory ran out.*workers=N"):
        list(results)


def test_workers_leave_ctrl_c_to_the_parent():
    assert list(in_order(ignores_ctrl_c, range(4), 2)) == [True] * 4


def test_workers_end_when_the_parent_is_killed(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_order as t\n"
        "if __name__ == '__main__':\n"
        "    r = t.in_order(t.process_of, range(100), 2)\n"
        "    print(next(r), next(r), flush=True)\n"
        "    input()\n"
    )
    program = tmp_path / "program.py"
    program.write_text(code)
    with subprocess.Popen(
        [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        workers = {int(word) for word in parent.stdout.readline().split()}
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_results_are_not_held():
    results = in_order(large, range(6), 1)
    gone = weakref.ref(next(results))
    next(results)
    next(results)
    assert gone() is None


def test_ctrl_c_reaches_no_process_that_is_just_starting():
    assert all(in_order(was_started_with_ctrl_c_held, range(6), 2))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

"""Results in the order of their jobs, and no more work ahead than a few jobs."""

import time

import pytest

from hipjsw.cohort.order import in_order


def touched(job):
    folder, number = job
    (folder / f"{number:04d}").touch()
    return number


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

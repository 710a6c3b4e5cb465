"""Whatever is read, however it is spoilt: accepted, or refused with an error of xlbias' own. See `mutated`."""

import json
from collections import Counter
from pathlib import Path

import pytest
from mutated import one, prepare, work_on
from processes import start

pytestmark = pytest.mark.integration

N_INPUTS = 10_000
N_WORKERS = 2
FAULTS_OF_OLD = (8_984,)  # counts of a setting that are null


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    prepare(folder)
    return folder


def test_some_hundred_spoilt_inputs_are_accepted_or_properly_refused(samples, tmp_path):
    found = {number: one(number, samples, tmp_path / "work") for number in (*range(250), *FAULTS_OF_OLD)}
    faults = {number: result for number, result in found.items() if result[1]}
    assert not faults, "\n".join(f"{number}: {name}: {fault}" for number, (name, fault) in faults.items())


@pytest.mark.slow
def test_ten_thousand_spoilt_inputs_are_accepted_or_properly_refused(samples, tmp_path):
    """In processes of their own, so that a panic, a crash, a hang or too much memory is a fault of one input."""
    faults: list[str] = []
    counts: Counter[str] = Counter()
    for worker in range(N_WORKERS):
        (tmp_path / f"{worker}.jsonl").touch()
    waiting = {worker: list(range(worker, N_INPUTS, N_WORKERS)) for worker in range(N_WORKERS)}
    while any(waiting.values()):
        running = {
            worker: start(
                work_on, numbers, str(samples), str(tmp_path / f"work-{worker}"), str(tmp_path / f"{worker}.jsonl"),
                output=tmp_path / f"{worker}.txt",
            )
            for worker, numbers in waiting.items()
            if numbers
        }  # fmt: skip
        for worker, process in running.items():
            process.join()
            lines = [json.loads(line) for line in (tmp_path / f"{worker}.jsonl").read_text().splitlines()]
            done = {line[0]: line[1:] for line in lines if len(line) > 1}
            begun = lines[-1][0] if lines else waiting[worker][0]
            if begun not in done:
                faults.append(f"{begun}: the process ended with {process.exitcode}")
            waiting[worker] = [number for number in waiting[worker] if number > begun]
            (tmp_path / f"{worker}.jsonl").write_text("")
            counts.update(name for name, _ in done.values())
            faults += [f"{number}: {name}: {fault}" for number, (name, fault) in done.items() if fault]
    print(sum(counts.values()), dict(counts))
    assert not faults, f"{len(faults)} faults\n" + "\n".join(sorted(faults))
    assert sum(counts.values()) == N_INPUTS

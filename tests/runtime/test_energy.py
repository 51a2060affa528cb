"""Energy: counters that wrap, counters that can't be read, and what they say of phases and of throttling."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farlands.cli import main
from farlands.runtime import energy_sources, phases
from farlands.runtime.energy import Cost, Meter
from farlands.runtime.energy_sources import CpuCounter, Uncounted, describe_energy, find_packages, open_counter
from farlands.runtime.loop import Counters
from farlands.runtime.metrics import read_metrics
from farlands.runtime.phases import METERED, Phases

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
RANGE = 1_000_000


def set_package(powercap: Path, number: int, microjoules: int, name: str = "package-", inner: str = "") -> Path:
    """One domain of a powercap tree, as Linux lays it out."""
    path = powercap / f"intel-rapl:{number}{inner}"
    path.mkdir(parents=True, exist_ok=True)
    (path / "name").write_text(f"{name}{number}\n" if name == "package-" else f"{name}\n")
    (path / "energy_uj").write_text(f"{microjoules}\n")
    (path / "max_energy_range_uj").write_text(f"{RANGE}\n")
    return path


@pytest.fixture
def powercap(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "class" / "powercap"
    path.mkdir(parents=True)
    monkeypatch.setattr(energy_sources, "POWERCAP", path)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    return path


def make_library() -> types.SimpleNamespace:
    """A stand-in for pynvml with one GPU, whose counter goes on by 500 J a look."""
    library = types.SimpleNamespace(NVMLError=RuntimeError, joules=0.0, reasons=0)

    def consume(handle: int) -> float:
        assert handle == 7
        library.joules += 500.0
        return library.joules * 1000

    library.nvmlInit = lambda: None
    library.nvmlDeviceGetHandleByUUID = lambda uuid: {"GPU-abc": 7}[uuid]
    library.nvmlDeviceGetTotalEnergyConsumption = consume
    library.nvmlDeviceGetCurrentClocksEventReasons = lambda handle: library.reasons
    return library


@pytest.fixture
def gpu(monkeypatch, powercap) -> types.SimpleNamespace:
    library = make_library()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: types.SimpleNamespace(uuid="abc"))
    return library


def test_packages_count_once_and_their_parts_not_at_all(powercap):
    set_package(powercap, 0, 5)
    set_package(powercap, 1, 7)
    set_package(powercap, 0, 3, name="core", inner=":0")
    set_package(powercap, 2, 9, name="psys")
    mmio = powercap / "intel-rapl-mmio:0"
    mmio.mkdir()
    (mmio / "name").write_text("package-0\n")
    assert [path.name for path in find_packages(powercap)] == ["intel-rapl:0", "intel-rapl:1"]
    counter = CpuCounter.open()
    assert counter is not None
    set_package(powercap, 0, 500_005)
    set_package(powercap, 1, 250_007)
    assert counter.read() == pytest.approx(0.75)


@given(steps=st.lists(st.integers(0, RANGE - 1), max_size=12), start=st.integers(0, RANGE - 1))
def test_wrapping_counters_lose_nothing(steps, start, tmp_path_factory):
    powercap = tmp_path_factory.mktemp("sys") / "class" / "powercap"
    set_package(powercap, 0, start)
    counter, spent = CpuCounter.open(powercap), 0
    assert counter is not None
    for step in steps:
        spent += step
        set_package(powercap, 0, (start + spent) % RANGE)
        assert counter.read() == pytest.approx(spent / 1e6)


def test_what_cannot_be_read_is_not_measured(powercap):
    assert open_counter(CPU) is None
    path = set_package(powercap, 0, 5)
    (path / "energy_uj").write_text("secret")
    assert open_counter(CPU) is None
    assert Meter(CPU).joules is None
    assert Meter(CPU).lap().joules is None
    assert Meter(CPU).figures(Cost(1.0, None), 10) == {}


def test_a_counter_that_falls_silent_is_no_longer_measured(powercap):
    path = set_package(powercap, 0, 5)
    meter = Meter(CPU)
    assert meter.joules == 0.0
    os.remove(path / "energy_uj")
    assert meter.joules is None


def test_of_processes_that_share_a_machine_one_reads_its_processors(powercap, monkeypatch):
    set_package(powercap, 0, 5)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert isinstance(open_counter(CPU), Uncounted)
    assert Meter(CPU).joules == 0.0
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert isinstance(open_counter(CPU), CpuCounter)


def test_meter_reads_the_gpu_that_is_used(gpu, monkeypatch):
    meter = Meter(CUDA)
    assert meter.joules == 500.0
    assert [meter.lap().joules, meter.lap().joules] == [1_000.0, 500.0]
    assert meter.lap().seconds < meter.seconds
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert Meter(CUDA).joules is None


def test_a_gpu_and_its_host_are_told_apart(gpu, powercap):
    set_package(powercap, 0, 0)
    meter = Meter(CUDA)
    set_package(powercap, 0, 250_000)
    assert meter.host_joules == pytest.approx(0.25)
    figures = meter.figures(Cost(2.0, 100.0), 50)
    assert figures["energy/per_million_steps"] == 2e6
    assert figures["power/device"] == 50.0
    assert figures["power/host"] > 0


def test_throttling_is_a_figure_and_a_note_once(gpu):
    meter = Meter(CUDA)
    assert meter.new_notes(meter.figures(Cost(1.0, 1.0), 1)) == []
    gpu.reasons = 0x04 | 0x40
    figures = meter.figures(Cost(1.0, 1.0), 1)
    assert (figures["throttle/power"], figures["throttle/thermal"], figures["throttle/hardware"]) == (1.0, 1.0, 0.0)
    assert len(meter.new_notes(figures)) == 2
    assert meter.new_notes(figures) == []


def test_older_libraries_have_another_name_for_it(gpu):
    del gpu.nvmlDeviceGetCurrentClocksEventReasons
    assert not any(name.startswith("throttle") for name in Meter(CUDA).figures(Cost(1.0, 1.0), 1))
    gpu.nvmlDeviceGetCurrentClocksThrottleReasons = lambda handle: 0x80
    assert Meter(CUDA).figures(Cost(1.0, 1.0), 1)["throttle/power"] == 1.0


def test_heat_of_processors_is_a_count_that_rises(powercap):
    set_package(powercap, 0, 0)
    counts = powercap.parent.parent / "devices/system/cpu/cpu0/thermal_throttle"
    counts.mkdir(parents=True)
    (counts / "package_throttle_count").write_text("3")
    meter = Meter(CPU)
    assert meter.figures(Cost(1.0, 1.0), 1)["throttle/thermal"] == 0.0
    (counts / "package_throttle_count").write_text("4")
    assert meter.figures(Cost(1.0, 1.0), 1)["throttle/thermal"] == 1.0
    assert meter.figures(Cost(1.0, 1.0), 1)["throttle/thermal"] == 0.0


def test_phases_have_joules_of_their_own(powercap):
    set_package(powercap, 0, 0)
    timed = Phases(CPU)
    with timed("collect"):
        set_package(powercap, 0, 300_000)
    set_package(powercap, 0, 400_000)
    for joules in (500_000, 600_000):
        with timed("learn"):
            set_package(powercap, 0, joules)
    assert timed.read_joules() == pytest.approx({"collect": 0.3, "learn": 0.2})
    assert timed.read_joules() == {}


def test_on_a_gpu_few_updates_are_metered(gpu, monkeypatch):
    event = types.SimpleNamespace(record=lambda: None, synchronize=lambda: None, elapsed_time=lambda other: 1.0)
    waits = []
    monkeypatch.setattr(phases.torch.cuda, "Event", lambda enable_timing: event)
    monkeypatch.setattr(phases.torch.cuda, "synchronize", waits.append)
    timed, metered = Phases(CUDA), []
    for _ in range(METERED + 3):
        with timed("learn"):
            pass
        assert timed.read() == {"learn": 0.001}
        metered.append(timed.read_joules())
    assert metered[2] == metered[METERED + 2] == {"learn": 500.0}
    assert sum(map(bool, metered)) == 2
    assert len(waits) == 4, "nothing else waits for the device"


def test_runs_note_down_what_they_cost(powercap, tmp_path):
    set_package(powercap, 0, 0)
    tiny = ["--num-worlds", "4", "--steps", "64", "--ppo.rollout", "8", "--threads", "1"]
    assert main(["train", "cue-corridor", "--run-dir", str(tmp_path / "run"), *tiny]) == 0
    row = read_metrics(tmp_path / "run" / "metrics.jsonl")[-1]
    assert row["joules"] == row["energy/per_million_steps"] == row["power/device"] == 0.0
    assert {"energy/collect", "energy/learn"} <= set(row)


def test_doctor_names_the_counters(powercap):
    assert "not measured: there is no counter" in next(describe_energy())[2]
    path = set_package(powercap, 0, 5)
    assert next(describe_energy()) == (True, "energy of CPU", "1 package, by RAPL")
    (path / "energy_uj").unlink()
    assert "may not be read by this user" in next(describe_energy())[2]


def test_what_a_run_spent_adds_up_until_it_cannot_be_told():
    counters = Counters()
    counters.spend(Cost(2.0, 5.0))
    counters.spend(Cost(1.0, 2.5))
    again = Counters()
    again.load_state_dict(counters.state_dict())
    assert (again.seconds, again.joules) == (3.0, 7.5)
    again.spend(Cost(1.0, None))
    again.spend(Cost(1.0, 4.0))
    assert (again.seconds, again.joules) == (5.0, None)
    again.load_state_dict({"steps": 1, "updates": 1, "seconds": 1.0})
    assert again.joules is None, "a run begun before energy was counted"

"""The engine in its own process: it obeys, mirrors, survives, and is survived."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from explorer.document import Document
from explorer.edits import LoadPainting
from explorer.engine.client import EngineClient
from explorer.engine.mailbox import Mailbox
from explorer.engine.messages import (
    INSPECTED,
    Applied,
    Begin,
    Configure,
    Event,
    Frame,
    Look,
    Mirror,
    MirrorNow,
    Move,
    Notice,
    Probe,
    Release,
    Repaint,
    Reset,
    Seek,
    Train,
    TrainSteps,
)
from explorer.engine.simulation import RELEASE_AFTER
from trainer.paintings import preset_weights
from trainer.projects import Setup
from trainer.scenes import Scene, story
from trainer.settings import FitSettings, NetworkSettings, ParticleSettings


class Driver:
    """A client without a window: it collects what the engine says."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.client = EngineClient(lambda: Begin(self.setup, 1), "cpu")
        self.told: list[Event] = []
        self.lines: list[str] = []
        self.latest: Frame | None = None

    def turn(self) -> None:
        self.told += self.client.events()
        line = self.client.watch()
        if line:
            self.lines.append(line)
        self.latest = self.client.frame() or self.latest

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> float:
        began = monotonic()
        while not condition():
            assert monotonic() - began < seconds, f"waited {seconds} s; told {self.told[-3:]}"
            self.turn()
            sleep(0.005)
        return monotonic() - began

    def frame(self) -> Frame:
        assert self.latest is not None
        return self.latest

    def step(self) -> int:
        return self.latest.step if self.latest else -1

    def notices(self) -> list[str]:
        return [event.text for event in self.told if isinstance(event, Notice)]


@contextmanager
def running(setup: Setup | None = None) -> Iterator[Driver]:
    driver = Driver(setup or Setup(preset_weights("crescents"), "crescents"))
    driver.client.start()
    try:
        yield driver
    finally:
        names = [box.name for box in mailboxes(driver.client)]
        began = monotonic()
        driver.client.close()
        assert monotonic() - began < 2.5
        if sys.platform == "linux":
            assert not any(Path("/dev/shm", name.lstrip("/")).exists() for name in names)


def mailboxes(client: EngineClient) -> list[Mailbox]:
    """Those of the processes that run."""
    return [worker._mailbox for worker in (client._engine, client._mover) if worker._mailbox is not None]


def test_trains_obeys_and_looks() -> None:
    with running() as driver:
        driver.until(lambda: driver.step() > 50)
        driver.client.send(Train(False))
        driver.until(lambda: not driver.frame().training)
        at = driver.step()
        driver.client.send(TrainSteps(3))
        driver.until(lambda: driver.step() == at + 3)
        driver.client.send(Look(sigma=0.3, lattice=32))
        driver.client.send(Probe((0.5, -0.25)))
        driver.until(
            lambda: driver.frame().learned.shape == (32, 32, 2) and driver.frame().probe.size == len(INSPECTED)
        )
        frame = driver.frame()
        assert frame.sigma == pytest.approx(0.3)
        assert np.isfinite(frame.probe).all()
        assert frame.probe[:2] == pytest.approx([0.5, -0.25])
        assert frame.true.shape == (32, 32, 2)
        driver.client.send(Reset(5))
        driver.until(lambda: driver.frame().seed == 5 and driver.step() == 0)


def test_killed_engine_goes_on_from_its_mirror() -> None:
    with running() as driver:
        driver.until(lambda: driver.client.mirror is not None)
        mirrored = driver.client.mirror
        assert mirrored is not None
        pid = driver.client.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        waited = driver.until(lambda: bool(driver.lines))
        assert waited < 2.0
        assert "Nothing painted was lost" in driver.lines[0]
        driver.until(lambda: driver.client.ready)
        driver.latest = None
        driver.until(lambda: driver.step() >= mirrored.step)
        assert driver.client.pid != pid


def test_gives_up_on_an_engine_that_dies_again_and_again() -> None:
    with running() as driver:
        for death in range(4):
            driver.until(lambda: driver.client.pid is not None)
            os.kill(driver.client.pid or 0, signal.SIGTERM)
            driver.until(lambda count=death: len(driver.lines) == count + 1)
        assert driver.client.gave_up
        assert "again and again" in driver.lines[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by prlimit, which only Linux has")
def test_out_of_memory_pauses_and_keeps_the_weights() -> None:
    import resource

    with running() as driver:
        driver.until(lambda: driver.step() > 20)
        driver.client.send(Train(False))
        driver.until(lambda: not driver.frame().training)
        pid = driver.client.pid
        assert pid is not None
        used = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (used + 200 * 2**20, used + 200 * 2**20))
        large = FitSettings(batch=65536, network=NetworkSettings(width=1024, depth=8, features=1024))
        driver.client.send(Configure(large))
        driver.client.send(Train(True))
        driver.until(lambda: any("memory" in text for text in driver.notices()))
        driver.client.send(Configure(FitSettings()))
        driver.client.send(Train(True))
        driver.until(lambda: driver.frame().training and driver.frame().loss_known)
        assert driver.client.pid == pid


def test_absurd_learning_rate_is_told_and_survived() -> None:
    with running() as driver:
        driver.until(lambda: driver.step() > 100)
        driver.client.send(Configure(FitSettings(learning_rate=1e6)))
        driver.until(lambda: bool(driver.notices()))
        frame = driver.frame()
        assert np.isfinite(frame.learned).all()
        driver.client.send(Configure(FitSettings()))
        driver.client.send(Train(True))
        at = driver.step()
        driver.until(lambda: driver.step() > at + 50)
        assert np.isfinite(driver.frame().learned).all()


def test_diverging_particles_are_told_and_never_reach_a_view() -> None:
    settings = ParticleSettings(source="true", number=200, epsilon=1.0, levels=3, steps=60)
    with running(Setup(preset_weights("crescents"), scene=Scene(story(settings)))) as driver:
        driver.until(lambda: driver.step() > 5)
        driver.client.send(Release())
        driver.until(lambda: any("Langevin" in text and "ε is too large" in text for text in driver.notices()))
        assert np.isfinite(driver.frame().panes).all()


def test_edit_while_training_is_followed_without_a_reset() -> None:
    with running() as driver:
        driver.until(lambda: driver.step() > 300)
        weights = preset_weights("crescents").copy()
        weights[60:70, 20:100] = 1.0
        at = driver.step()
        driver.client.send(Repaint(2, weights, "painting"))
        driver.until(lambda: driver.frame().revision == 2)
        assert driver.step() >= at
        driver.until(lambda: driver.step() > at + 100)
        applied = [event for event in driver.told if isinstance(event, Applied) and isinstance(event.command, Repaint)]
        assert len(applied) == 1
        assert applied[0].step >= at


def test_recipe_repeats_the_live_run_bit_by_bit() -> None:
    """What a live session wrote into its journal, replayed without a process or a clock, gives the same weights."""
    import torch

    from explorer.engine.simulation import Simulation
    from explorer.recipe import Recipe, Recorder

    threads = torch.get_num_threads()
    document = Document()
    recorder = Recorder(Recipe(document.setup))
    with running(document.setup) as driver:
        driver.until(lambda: driver.step() > 60)
        document.do(LoadPainting(preset_weights("smile"), "smile"))
        driver.client.send(Repaint(2, document.weights, document.name))
        driver.until(lambda: driver.frame().revision == 2)
        driver.client.send(Configure(replace(FitSettings(), learning_rate=5e-3)))
        driver.until(lambda: driver.step() > 260)
        driver.client.send(Train(False))
        driver.until(lambda: not driver.frame().training)
        before = driver.client.mirror
        driver.client.send(MirrorNow())
        driver.until(lambda: driver.client.mirror is not before)
        for event in driver.told:
            recorder.take(event)
        mirror, state = driver.client.mirror, driver.client.mirrored_state()
        assert isinstance(mirror, Mirror)
        assert state is not None
    recipe = recorder.recipe(mirror.step)
    assert len(recipe.journal) >= 2
    torch.set_num_threads(1)
    try:
        first = recipe.initial
        replay = Simulation(first, device="cpu")
        for step, command in recipe.commands():
            replay.train(step - replay.fit.step)
            replay.apply(command)
        replay.train(recipe.steps - replay.fit.step)
        live = Simulation(replace(document.setup, fit=replay.fit.settings), device="cpu")
        live.restore(state)
        assert live.fit.step == replay.fit.step
        x = torch.rand(500, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
        for sigma in (0.02, 0.1, 1.0):
            assert torch.equal(live.fit.score(x, sigma), replay.fit.score(x, sigma))
    finally:
        torch.set_num_threads(threads)


def test_engine_ends_when_its_window_is_killed(tmp_path: Path) -> None:
    import subprocess

    script = tmp_path / "parent.py"
    script.write_text(
        "from explorer.engine.client import EngineClient\n"
        "from explorer.engine.messages import Begin\n"
        "from trainer.paintings import preset_weights\n"
        "from trainer.projects import Setup\n"
        "import sys, time\n"
        "if __name__ == '__main__':\n"
        "    client = EngineClient(lambda: Begin(Setup(preset_weights('crescents')), 1), 'cpu')\n"
        "    client.start()\n"
        "    while not (frame := client.frame()) or not frame.released:\n"
        "        client.events()\n"
        "        time.sleep(0.01)\n"
        "    print(*client.pids, *(worker._mailbox.name for worker in (client._engine, client._mover)), flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    *pids, first, second = parent.stdout.readline().split()
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    began = monotonic()
    left = [Path("/dev/shm", name.lstrip("/")) for name in (first, second)]
    while any(_alive(int(pid)) for pid in pids) or (sys.platform == "linux" and any(path.exists() for path in left)):
        assert monotonic() - began < 5.0
        sleep(0.02)


def test_close_while_the_engine_still_loads() -> None:
    driver = Driver(Setup(preset_weights("crescents")))
    driver.client.start()
    began = monotonic()
    driver.client.close()
    assert monotonic() - began < 2.0


def test_move_after_the_end_releases_anew() -> None:
    settings = ParticleSettings(number=100, levels=2, steps=5, fine_steps=2)
    with running(Setup(preset_weights("crescents"), scene=Scene(story(settings)))) as driver:
        driver.until(lambda: driver.step() > 5)
        driver.client.send(Train(False))
        driver.client.send(Release())
        driver.until(lambda: driver.frame().released == 1 and not driver.frame().moving)
        driver.client.send(Move(True))
        driver.until(lambda: driver.frame().released == 2)
        assert driver.frame().modes is not None


def still(frame: Frame) -> bool:
    """Whether the first release has come to its end."""
    return frame.released == 1 and 0 < frame.particle_steps == frame.particle_step and not frame.moving


def test_killed_mover_repeats_its_release_and_the_engine_does_not_notice() -> None:
    settings = ParticleSettings(number=100, levels=2, steps=200, fine_steps=2)
    with running(Setup(preset_weights("crescents"), scene=Scene(story(settings)))) as driver:
        driver.until(lambda: driver.step() > RELEASE_AFTER and still(driver.frame()))
        end, engine = driver.frame(), driver.client.pid
        os.kill(driver.client.pids[1], signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        driver.until(lambda: bool(driver.lines))
        assert driver.lines == [
            "What moves the particles stopped and was started again. They set off as they did before."
        ]
        driver.until(lambda: driver.frame().particle_step < end.particle_step)
        driver.until(lambda: still(driver.frame()))
        again = driver.frame()
        assert again.released == 1
        assert np.array_equal(again.panes, end.panes)
        assert [state.weights_step for state in again.pane_states] == [state.weights_step for state in end.pane_states]
        assert driver.client.pid == engine
        assert again.step > end.step
        os.kill(driver.client.pids[1], signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        driver.until(lambda: len(driver.lines) == 2)
        assert driver.lines[1].endswith("and was started again without them. Release them anew: Shift+R.")
        driver.client.send(Release())
        driver.until(lambda: driver.frame().pane_states != () and driver.frame().particle_step > 0)
        assert driver.client.pid == engine


def test_particles_outlive_a_killed_engine() -> None:
    settings = ParticleSettings(number=100, levels=2, steps=5, fine_steps=2)
    with running(Setup(preset_weights("crescents"), scene=Scene(story(settings)))) as driver:
        driver.until(lambda: driver.step() > RELEASE_AFTER and still(driver.frame()))
        end, mover = driver.frame(), driver.client.pids[1]
        os.kill(driver.client.pid or 0, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        driver.until(lambda: bool(driver.lines))
        driver.until(lambda: driver.client.ready and driver.step() > end.step)
        assert driver.client.pids[1] == mover
        assert driver.frame().released == 1
        assert np.array_equal(driver.frame().panes, end.panes)
        driver.client.send(Seek(3))
        driver.until(lambda: driver.frame().particle_shown == 3)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_instead_of_a_device_that_is_not_there_another_computes() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    driver = Driver(Setup(preset_weights("crescents")))
    driver.client = EngineClient(lambda: Begin(driver.setup, 1), "cuda")
    driver.client.start()
    try:
        driver.until(lambda: driver.client.ready)
        assert driver.lines == ["The device cuda cannot be used here; the fastest that there is computes instead."]
        assert len([text for text in driver.notices() if "cuda" in text]) == 1
        driver.until(lambda: driver.step() > 0)
        assert driver.client.device == "auto"
    finally:
        driver.client.close()


def test_words_on_the_document_before_are_not_mixed_up() -> None:
    with running() as driver:
        driver.until(lambda: driver.client.mirror is not None)
        driver.client.send(Release())
        driver.client.send(Begin(Setup(preset_weights("smile"), "smile"), 7))
        driver.told.clear()
        assert driver.client.mirror is None
        driver.until(lambda: driver.frame().name == "smile" and driver.client.mirror is not None)
        assert all(event.era == 1 for event in driver.told if isinstance(event, Applied | Mirror))
        assert driver.frame().revision == 7

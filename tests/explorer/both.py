"""A simulation and a mover in one process, tied as the window ties them: an order goes from the one to the other."""

from __future__ import annotations

from time import perf_counter

from explorer.engine.frames import Frame, joined
from explorer.engine.messages import Command, Look, Seek
from explorer.engine.mover import Mover
from explorer.engine.orders import Order
from explorer.engine.simulation import Simulation
from trainer.projects import Setup


class Both:
    """What the window has in two processes."""

    def __init__(self, setup: Setup, *, live: bool = False) -> None:
        self.simulation = Simulation(setup, device="cpu", live=live)
        self.mover = Mover("cpu")
        self._seen = 0

    def apply(self, command: Command) -> None:
        if isinstance(command, Seek):
            self.mover.show(command.step)
            return
        if isinstance(command, Look):
            self.mover.see(command)
        self.simulation.apply(command)
        self.deliver()

    def train(self, steps: int) -> None:
        self.simulation.train(steps)
        self.deliver()

    def deliver(self) -> None:
        """Hand on the orders that have been written since."""
        events = list(self.simulation.events)
        for event in events[self._seen :]:
            if isinstance(event, Order):
                self.mover.release(event)
        self._seen = len(events)

    def frame(self) -> Frame:
        return joined(self.simulation.frame(), self.mover.particles())

    def to_the_end(self) -> Frame:
        """Move until nothing is left to move."""
        while self.mover.left:
            self.mover.move(self.mover.left)
        return self.frame()

    def settle(self) -> Frame:
        """Work until nothing is left to be derived."""
        while not self.simulation.measure(perf_counter() + 0.05):
            pass
        self.mover.measure()
        assert not self.simulation.measuring
        assert not self.mover.measuring
        return self.frame()

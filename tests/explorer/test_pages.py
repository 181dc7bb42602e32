"""Where the tiles of a film stand, and what is written on its pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.export.arrangement import arrange
from explorer.export.captions import facts, ledger_values
from explorer.export.page import farthest_share, type_scale
from explorer.export.timeline import Moment, Phase
from explorer.export.words import act_title, film_titles
from tests.explorer.scenes import scene_frame, scene_of


@pytest.mark.parametrize(
    "size", [(1280, 720), (1920, 1080), (3840, 2160), (640, 360), (1080, 1080), (1080, 1920), (2000, 600), (160, 160)]
)
@pytest.mark.parametrize("panes", [1, 2, 3, 4])
def test_tiles_lie_on_the_page_without_overlap(size: tuple[int, int], panes: int) -> None:
    scale = type_scale(*size)
    place = arrange(*size, scale, panes)
    for act, least in ((place.learning, 3), (place.sampling, panes)):
        tiles = [rect for rect in act if rect is not None]
        assert len(tiles) >= least
        for i, tile in enumerate(tiles):
            assert tile.left() >= place.margin > 0
            assert tile.top() >= 0
            assert tile.right() < size[0]
            assert tile.bottom() < size[1] - 40 * scale + 1
            assert not any(tile.intersects(other) for other in tiles[i + 1 :])
    fields = place.learning[1], place.learning[2]
    assert fields[0].size() == fields[1].size()


def test_the_fields_take_most_of_a_wide_page() -> None:
    place = arrange(1280, 720, 1.2)
    assert place.learning[1].width() > 460
    assert place.sampling[0].width() > 390
    assert arrange(1280, 720, 1.2).sampling[3] is None
    assert arrange(1080, 1080, 1.2).sampling[3] is not None


def test_fewer_panes_are_larger_and_a_single_one_has_the_ledger_beside_it() -> None:
    sides = [arrange(1280, 720, 1.2, panes).sampling[0].width() for panes in (1, 2, 3, 4)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] > 480
    assert sides[3] > 280
    assert [arrange(1280, 720, 1.2, panes).sampling[-1] is None for panes in (1, 2, 3, 4)] == [False, True, True, True]


@pytest.mark.parametrize("phase", ["train", "move", "hold"])
def test_every_line_of_facts_names_objective_sigma_step_and_seed(phase: Phase) -> None:
    frame = replace(scene_frame(scene_of("ascent", "langevin", "annealed")), step=3412, sigma=0.1, target="pooled")
    lines = facts(Moment(phase, 3412, 1600, 0.1), frame)
    assert sorted(lines, key=len, reverse=True) == list(lines)
    for line in lines:
        assert "denoising score matching" in line or "DSM" in line
        assert "seed 7" in line
        assert "step 3,412" in line
        assert ("σ 0.100" if phase == "train" else "σ 0.0200") in line
    assert "pooled targets" in lines[0]


def test_the_share_farthest_from_the_truth_is_told_with_its_band() -> None:
    modes = scene_frame(scene_of("langevin", "annealed")).modes
    assert modes is not None
    assert farthest_share(modes, 0) == ("mode 1: 0.550 (0.500 to 0.600), truth 0.800", "mode 1: 0.550, truth 0.800")


@pytest.mark.parametrize(
    ("samplers", "title"),
    [
        (("annealed",), "Annealed Langevin"),
        (("langevin", "annealed"), "Two samplers, one score"),
        (("ascent", "langevin", "annealed"), "Three samplers, one score"),
        (("langevin", "langevin", "sde", "ddim"), "Four panes, the same noise"),
    ],
)
def test_every_scene_has_a_title_captions_and_a_ledger_of_its_own(samplers: tuple[str, ...], title: str) -> None:
    scene = scene_of(*samplers)
    frame = scene_frame(scene)
    assert act_title(scene) == title
    assert len(set(film_titles(scene))) == len(samplers)
    assert len(ledger_values(frame.modes, frame.pane_states)) == len(samplers)
    assert ("annealed at" in facts(Moment("move", 10, 5, 0.02), frame)[0]) == (samplers[-1] == "annealed")

"""What is planted into a phantom film besides a plain pelvis, and which hips then have no true width.

A real cohort holds films that no hip can be measured on and that no file name betrays. `draw_plant` decides which
films of a phantom cohort are such films; drawing them is the film's work. Each film is drawn for itself, so what one
visit shows says nothing of the next, and a film planted at one share is planted alike at every larger share.
"""

from __future__ import annotations

from enum import StrEnum

from hipjsw.anatomy.landmarks import Side
from hipjsw.phantom.population import Person, Visit, stream

__all__ = ["PLANT_RATES", "Plant", "draw_plant", "plant_side", "sides_without_width"]

#: Purpose of this module's random numbers (see ``population.stream``).
_STREAM = 8


class Plant(StrEnum):
    """What a planted film shows."""

    #: A total hip replacement on one side; the other hip is as it was.
    PROSTHESIS = "prosthesis"
    #: A screw or nail through the neck of one side; the joint is as it was.
    SCREW = "screw"
    #: Open growth plates on both sides: no adult's joint space.
    CHILD = "child"
    #: Hips bent and turned out: not the pose in which a joint space is measured.
    FROG_LEG = "frog-leg"
    #: The film ends beyond one hip; the other is not on it.
    SINGLE_HIP = "single-hip"


#: How often each is the one, among planted films.
PLANT_RATES = {
    Plant.PROSTHESIS: 0.35,
    Plant.SCREW: 0.20,
    Plant.CHILD: 0.10,
    Plant.FROG_LEG: 0.20,
    Plant.SINGLE_HIP: 0.15,
}


def draw_plant(seed: int, person: Person, visit: Visit, share: float) -> Plant | None:
    """What is planted into a film, None for a plain film.

    Args:
        seed: The cohort's seed.
        person: Whose film it is.
        visit: The visit.
        share: Share of films, 0 to 1, that get something.
    """
    chance, kind = stream(seed, person.index, _STREAM, visit.number).random(2)
    if chance >= share:
        return None
    for plant, rate in PLANT_RATES.items():
        if kind < rate:
            return plant
        kind -= rate
    return plant


def plant_side(seed: int, person: Person, visit: Visit) -> Side:
    """The side a one-sided plant is on: the hip with the implant, or the only hip on the film."""
    return Side.RIGHT if stream(seed, person.index, _STREAM, visit.number, 1).random() < 0.5 else Side.LEFT


def sides_without_width(plant: Plant | None, side: Side) -> frozenset[Side]:
    """The hips of a film that have no true joint space width.

    Args:
        plant: What is planted.
        side: The side it is on (`plant_side`).
    """
    other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
    none: dict[Plant | None, set[Side]] = {
        Plant.PROSTHESIS: {side},
        Plant.CHILD: set(Side),
        Plant.FROG_LEG: set(Side),
        Plant.SINGLE_HIP: {other},
    }
    return frozenset(none.get(plant, set()))

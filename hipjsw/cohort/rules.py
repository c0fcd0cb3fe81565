"""The rules a film is checked by: one table of what may be wrong, how bad it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["RULES", "Rule", "Severity"]


class Severity(StrEnum):
    """An error excludes the film or hip, a warning does not, info is for the record."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Rule:
    """One thing that may be found.

    Args:
        severity: Whether the film or hip is left out for it.
        meaning: What it says of a film or hip.
        todo: What the user should do.
    """

    severity: Severity
    meaning: str
    todo: str


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

#: By name, in the order in which they are shown.
RULES: dict[str, Rule] = {
    # the file
    "not_dicom": Rule(_E, "not a film in a format read here", "replace or remove the file"),
    "unreadable": Rule(_E, "a file or folder that cannot be opened", "check its permissions, or where its link leads"),
    "truncated": Rule(_E, "the file ends before its pixels do", "copy the film again from its source"),
    "bad_header": Rule(_E, "a header value that cannot be read", "export the film again"),
    "no_pixels": Rule(_E, "the file has no image", "export the film again"),
    "modality": Rule(_E, "not a projection radiograph (CR, DX, RG, RF)", "remove the file from the cohort"),
    "colour": Rule(_E, "a colour image", "export the greyscale film"),
    "frames": Rule(_E, "several frames where a film has one", "export the one frame that is the film"),
    "too_large": Rule(_E, "more pixels than any hip film", "export the film at its own resolution"),
    "undecodable": Rule(_E, "pixels that no decoder here reads", "export the film uncompressed"),
    "flat": Rule(_E, "all pixels are alike", "export the film again"),
    "failed": Rule(_E, "something unforeseen", "report it, with the message"),
    "lossy": Rule(_I, "pixels were compressed with loss", "use the original where there is one"),
    "mirrored": Rule(_W, "the header says that the film is mirrored", "check its sides by a marker on the film"),
    "wrong_suffix": Rule(_W, "the content is not what the name's ending says", "rename the file"),
    "unknown_name": Rule(_E, "not named like a film of its cohort", "rename or remove it, or list the films in a CSV"),
    "empty_folder": Rule(_W, "the folder is empty", "fill or remove it"),
    # spacing
    "no_spacing": Rule(_E, "no usable pixel spacing, so no millimetres", "give it: spacing_mm=, or a CSV column"),
    "bad_spacing": Rule(_W, "a spacing tag that is zero, negative or no film's", "check the spacing used instead"),
    "spacing_mismatch": Rule(_W, "two spacing tags that differ", "check points_spacing= by eye on an overlay"),
    "anisotropic": Rule(_I, "rows and columns are not equally far apart", "nothing: lengths use both"),
    # points
    "film_without_points": Rule(_E, "no points file", "run BoneFinder on the film"),
    "points_without_film": Rule(_W, "points whose film is not there", "add the film or remove the points"),
    "bad_points": Rule(_E, "a points file that cannot be used", "run BoneFinder on the film again"),
    "ambiguous_points": Rule(_E, "several points files claim one hip", "remove all but one, or pair them in a list"),
    "older_numbering": Rule(_I, "points in BoneFinder's older numbering", "nothing: they are renumbered"),
    "points_in_px": Rule(_I, "points in pixels, not in mm", "nothing: they are converted"),
    "points_unit": Rule(_E, "points that fit the film neither in mm nor in pixels", "run BoneFinder on the film again"),
    "points_on_imager_spacing": Rule(_W, "points whose mm rest on ImagerPixelSpacing", "check one overlay by eye"),
    # the hip
    "head_radius": Rule(_E, "a femoral head of no adult's size", "run BoneFinder again, or remove the film"),
    "step_length": Rule(_E, "neighbouring points too far apart", "run BoneFinder again"),
    "crossing_curves": Rule(_E, "outlines that cross themselves or each other", "run BoneFinder again"),
    "outside_film": Rule(_E, "points of the joint outside the film", "run BoneFinder again, or remove the film"),
    "sides_swapped": Rule(_E, "the two sides exchanged, or a mirrored film", "exchange the sides, or mirror the film"),
    "pose": Rule(_E, "a hip bent and turned out", "nothing: it is not the pose in which a joint space is measured"),
    "misplaced": Rule(_E, "points that do not lie where the bone is", "run BoneFinder again"),
    "one_hip": Rule(_I, "the film shows one hip only", "nothing: the other hip is used"),
    "no_width": Rule(_E, "no joint space width between the curves", "run BoneFinder again"),
    "prosthesis": Rule(_E, "metal where the femoral head is", "nothing: there is no joint space to measure"),
    "metal": Rule(_W, "metal near the joint", "look at the film"),
    # the cohort
    "duplicate_film": Rule(_E, "identical pixels in two files of one person", "remove one"),
    "two_identities": Rule(_E, "identical pixels under two persons", "find out whose film it is"),
    "several_films": Rule(_W, "several films of one visit", "keep the one that was read"),
    "follow_up": Rule(_I, "a person with several visits", "nothing: all are on one side of the split"),
    "shared_id": Rule(_I, "one id in two cohorts", "nothing: they are two persons"),
    "person_by_name": Rule(_W, "no person is known, so each film is taken for one", "list films and persons in a CSV"),
    "unlisted_film": Rule(_W, "a film that the list does not hold", "list it, or remove it"),
    "listed_but_missing": Rule(_E, "a film that the CSV lists is not there", "add the film, or remove the line"),
    "bad_row": Rule(_E, "a line of the CSV that cannot be used", "mend the line"),
    "unknown_person": Rule(_W, "a table beside the films names persons of whom no film is here", "mend their ids"),
    # privacy
    "burned_in_text": Rule(_W, "text burned into the film, by its header or by its look", "look before you share it"),
}

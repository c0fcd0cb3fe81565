"""From a film to the widths of its hips: find them, look at each, measure, and say when that cannot be done."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipjsw.anatomy.landmarks import Side
from hipjsw.imaging.radiograph import Radiograph, refuse_flat
from hipjsw.imaging.reading import read_film
from hipjsw.imaging.spacing import PixelSpacing, SpacingSource
from hipjsw.imaging.view import HipView
from hipjsw.inference.locate import FoundHip, find_hips, guess_by
from hipjsw.inference.measuring import HipRecord, measure_looks
from hipjsw.inference.model import Model, Seen
from hipjsw.inference.model_folder import read_model
from hipjsw.inference.model_place import LOCATOR, ModelError
from hipjsw.jsw.contour import JointContours, find_joint
from hipjsw.jsw.head_shape import HeadEllipse, head_ellipse
from hipjsw.jsw.profile import JointSpaceWidth, Unmeasurable

__all__ = ["FilmMeasurer", "MeasuredFilm", "MeasuredHip"]

#: How often a film without spacing is looked at again with what its heads' margins said of its pixels, and the change
#: from which on that is worth it.
_RESHAPED, _SETTLED = 3, 1.02
#: A joint whose head lies further than this from where one was found is another hip's, or none.
ANOTHER_MM = 30.0
#: A view whose head lies further from its centre than this is laid anew, once.
OFF_CENTRE_MM = 1.5

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeasuredHip:
    """One hip of a film.

    Args:
        found: Where it was found.
        width: Its width, or why there is none; lengths in mm of the view, at the spacing of the film or of the guess.
        view: Where the view lies on the film.
        image: ``(rows, cols)`` what the network saw, in [0, 1].
        probs: ``(3, rows, cols)`` mean probabilities of femur, acetabulum and joint space.
        contours: Head and sourcil in view pixels; None where no joint was found.
        head: The ellipse along the head's margin; None where too little of one is seen.
        typicality: Distance from the hips that the model knows; 1 is the limit. None where it knows none.
    """

    found: FoundHip
    width: JointSpaceWidth | Unmeasurable
    view: HipView
    image: NDArray[np.float32]
    probs: NDArray[np.float32]
    contours: JointContours | None = None
    head: HeadEllipse | None = None
    typicality: float | None = None

    @property
    def side(self) -> Side:
        """The patient's side."""
        return self.found.side

    @property
    def centre_px(self) -> Floats:
        """``(2,)`` film place of the head's centre: by its margin, else as it was found."""
        return np.asarray(self.found.centre_px) if self.head is None else self.to_film_px(self.head.centre_px)

    @property
    def diameter_mm(self) -> float:
        """Diameter of the head, in mm at the view's spacing."""
        if self.head is None:
            return self.found.diameter_px * self.view.spacing.mean_mm
        return self.head.diameter_px * self.view.pixel_mm

    def to_film_px(self, points_px: Floats) -> Floats:
        """Points ``(..., 2)`` of the view in pixels to film pixels."""
        return self.view.spacing.to_px(self.view.to_film_mm(points_px))


@dataclass(frozen=True, eq=False)
class MeasuredFilm:
    """What came of one film.

    Args:
        hips: The hips that were found, right first.
        spacing: The film's spacing; None where it has none: then lengths are in mm of a guess, and only what is a
            ratio of two of them may be said.
        guess: The spacing it was looked at with.
    """

    hips: tuple[MeasuredHip, ...]
    spacing: PixelSpacing | None
    guess: PixelSpacing


@dataclass(frozen=True, eq=False)
class FilmMeasurer:
    """Measures films.

    Args:
        model: Looks at hips.
        locator: Finds them.
        assume_head_mm: What the heads of a film without spacing measure; None leaves such a film without millimetres.
    """

    model: Model
    locator: Model
    assume_head_mm: float | None = None

    def __call__(self, film: Radiograph) -> MeasuredFilm:
        """Measure the hips of a film."""
        measured = self._film(film)
        if film.spacing is not None or self.assume_head_mm is None or not measured.hips:
            return measured
        larger = self.assume_head_mm / float(np.mean([hip.diameter_mm for hip in measured.hips]))
        row_mm, col_mm = measured.guess.row_mm * larger, measured.guess.col_mm * larger
        return self._film(replace(film, spacing=PixelSpacing(row_mm, col_mm, SpacingSource.ASSUMED_HEAD)))

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", assume_head_mm: float | None = None) -> FilmMeasurer:
        """From a model's folder, with the locator in it.

        Args:
            folder: A folder that ``python -m hipjsw.export run=DIR locator=DIR`` wrote.
            device: Where the networks run: ``cpu`` or ``cuda``.
            assume_head_mm: As of the class.

        Raises:
            ModelError: No model, none that can be used, or one without a locator.
        """
        model = read_model(folder)
        if model.about.get("labels") == "head":
            raise ModelError(f"{folder} finds hips and measures none; name a model that was trained with other labels")
        if not (folder / LOCATOR).is_dir():
            raise ModelError(
                f"{folder} cannot find hips on a film: it has no locator; export it with one: "
                "python -m hipjsw.export run=DIR locator=DIR out=DIR"
            )
        return cls(model.to(device), read_model(folder / LOCATOR).to(device), assume_head_mm)

    @property
    def hash(self) -> str:
        """Of both models' files."""
        return hashlib.sha256(f"{self.model.hash} {self.locator.hash}".encode()).hexdigest()

    def measure(self, path: str | Path, spacing_mm: float | None = None) -> MeasuredFilm:
        """Measure the hips of a film's file.

        Args:
            path: DICOM, PNG, JPEG, TIFF or NPY.
            spacing_mm: Its spacing, over any header's; None for the film's own.

        Raises:
            FilmError: A file that is no film, or one that cannot be used; its ``rule`` says which.
        """
        film = read_film(Path(path), spacing_mm)
        refuse_flat(film.pixels, Path(path).name)
        return self(film)

    def _film(self, film: Radiograph) -> MeasuredFilm:
        found, spacing = find_hips(self.locator, film)
        hips = self._centred(film if film.spacing is spacing else replace(film, spacing=spacing), found)
        for _ in range(_RESHAPED if film.spacing is None else 0):
            sizes = _heads_px(hips)
            if not sizes:
                break
            better = guess_by(sizes)
            moved = max(better.row_mm / spacing.row_mm, spacing.row_mm / better.row_mm)
            moved = max(moved, better.col_mm / spacing.col_mm, spacing.col_mm / better.col_mm)
            if moved < _SETTLED:
                break
            found = [replace(hip.found, centre_px=(float(hip.centre_px[0]), float(hip.centre_px[1]))) for hip in hips]
            spacing, hips = better, self._centred(replace(film, spacing=better), found)
        return MeasuredFilm(tuple(hips), film.spacing, spacing)

    def _centred(self, film: Radiograph, found: Sequence[FoundHip]) -> list[MeasuredHip]:
        """Measured hips; a view off its head, at one look, is laid anew, once."""
        if not found:
            return []
        glanced = self._glanced(film, self._laid(film, found, [np.asarray(hip.centre_px) for hip in found]))
        better = {n: centre for n, hip in enumerate(found) if (centre := self._off_centre(glanced, n, hip)) is not None}
        if better:
            again = self._glanced(film, self._laid(film, [found[n] for n in better], list(better.values())))
            for k, n in enumerate(better):
                if self._joint(again, k, found[n]) is not None:  # else the first view was the better one
                    glanced.take(n, again, k)
        return self._measured(found, glanced)

    def at(self, film: Radiograph, found: Sequence[FoundHip]) -> list[MeasuredHip]:
        """Measure hips where they are said to be: nothing is found, and no view is laid anew.

        Args:
            film: A film with a spacing.
            found: Its hips, one or more.
        """
        views = self._laid(film, found, [np.asarray(hip.centre_px) for hip in found])
        return self._measured(found, self._glanced(film, views))

    def _laid(self, film: Radiograph, found: Sequence[FoundHip], centres_px: Sequence[Floats]) -> list[HipView]:
        """The views of hips without the store's margin."""
        assert film.spacing is not None
        spec, spacing = replace(self.model.view, margin_px=0), film.spacing
        return [
            HipView.laid(spec, film.shape, spacing, spacing.to_mm(centre_px), hip.side is Side.LEFT)
            for hip, centre_px in zip(found, centres_px, strict=True)
        ]

    def _glanced(self, film: Radiograph, views: list[HipView]) -> _Glance:
        images = np.stack([view.normalised(film, self.model.view)[0] for view in views])
        return _Glance(views, images, self.model.see(images, looks=1))

    def _joint(self, glanced: _Glance, n: int, hip: FoundHip) -> JointContours | None:
        """The joint of a hip at one look; None where there is none, or another's."""
        joint = find_joint(glanced.seen.looks[0, n], glanced.views[n].pixel_mm)
        if isinstance(joint, Unmeasurable) or _apart_mm(glanced.views[n], joint, hip) > ANOTHER_MM:
            return None
        return joint

    def _off_centre(self, glanced: _Glance, n: int, hip: FoundHip) -> Floats | None:
        """Film place of the head's centre where the view lies off it, else None."""
        joint = self._joint(glanced, n, hip) if self.model.view.centre == "head" else None
        head = None if joint is None else head_ellipse(glanced.seen.looks[0, n, 0], joint.centre_px, joint.radius_px)
        view = glanced.views[n]
        middle = (np.asarray(view.shape) - 1.0) / 2.0
        if head is None or np.linalg.norm(head.centre_px - middle) * view.pixel_mm <= OFF_CENTRE_MM:
            return None
        return view.spacing.to_px(view.to_film_mm(head.centre_px))

    def _measured(self, found: Sequence[FoundHip], glanced: _Glance) -> list[MeasuredHip]:
        seen = self.model.see(glanced.images, glance=glanced.seen)
        hips = []
        for n, (hip, view) in enumerate(zip(found, glanced.views, strict=True)):
            looks = seen.looks[:, n]
            mean, pixel_mm = looks.mean(axis=0), view.pixel_mm
            width, spread_mm, joint = measure_looks(looks, pixel_mm, self.model.region)
            record = HipRecord(
                row=n,
                dice=np.full(3, np.nan),
                width=width,
                spread_mm=spread_mm,
                embedding=seen.embedding[n] if seen.embedding.size else None,
            )
            judged = self.model.judgement([record])[0]
            contours = joint if isinstance(joint, JointContours) else None
            final = judged.width
            if contours is not None and _apart_mm(view, contours, hip) > ANOTHER_MM:
                final, contours = Unmeasurable("the joint that is seen is not at the head that was found"), None
            head = None if contours is None else head_ellipse(mean[0], contours.centre_px, contours.radius_px)
            hips.append(MeasuredHip(hip, final, view, glanced.images[n], mean, contours, head, judged.typicality))
        return hips


@dataclass(frozen=True, eq=False)
class _Glance:
    """Views of a film's hips, what they show, and what is seen of them at one look."""

    views: list[HipView]
    images: NDArray[np.float32]
    seen: Seen

    def take(self, n: int, other: _Glance, k: int) -> None:
        """Put another's hip ``k`` in the place of hip ``n``."""
        self.views[n], self.images[n] = other.views[k], other.images[k]
        self.seen.looks[:, n] = other.seen.looks[:, k]
        if self.seen.embedding.size:
            self.seen.embedding[n] = other.seen.embedding[k]


def _apart_mm(view: HipView, contours: JointContours, hip: FoundHip) -> float:
    """How far a head's circle lies from where the head was found."""
    found_mm = view.spacing.to_mm(np.asarray(hip.centre_px))
    return float(np.linalg.norm(view.to_film_mm(contours.centre_px) - found_mm))


def _heads_px(hips: Sequence[MeasuredHip]) -> list[tuple[float, float]]:
    """Height and width of heads in film pixels; where some hips are like those the model knows, theirs alone."""
    known = [hip for hip in hips if hip.typicality is None or hip.typicality <= 1.0]
    return [size for hip in known or hips if (size := _head_px(hip)) is not None]


def _head_px(hip: MeasuredHip) -> tuple[float, float] | None:
    """Height and width of a hip's head in film pixels, by its margin."""
    if hip.head is None:
        return None
    height, width = hip.head.size_px * hip.view.pixel_mm / (hip.view.spacing.row_mm, hip.view.spacing.col_mm)
    return float(height), float(width)

"""A runs_dir as sweeps leave it, small and made up, with effects that are known; and a result without files.

Load it from another folder's tests by path, as ``conftest.py`` beside it does.
"""

import json
import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import yaml

from hipjsw.ablation.design import Arm, Design, Finding
from hipjsw.ablation.result import AblationResult, ArmRow, Cell, DifferenceRow, Verdict
from hipjsw.inference.evaluation import HIP_COLUMNS

NUM_PERSONS, NUM_HIPS, VIEW = 18, 40, 64
STEPS, VAL_EVERY, BATCH = 240, 20, 16
CLASSES = ("femur", "acetabulum", "joint_space")
REASON = "loss is nan at step 40; lower optim.optimizer.lr or change the loss."

#: Mean Dice, bias and SD (mm) of the widths, share that is unlabelled, and noise of the curve, by way of training.
TRUE = {
    "dice": (0.950, 0.02, 0.15, 0.0, 0.0005),
    "dicece": (0.948, 0.03, 0.16, 0.0, 0.0005),
    "ce": (0.920, 0.10, 0.25, 0.0, 0.004),
    "sigmoid": (0.935, 0.05, 0.18, 0.004, 0.001),
}

LOSS = Design(
    *("loss", "Table 3: loss", "Which loss gives the best test Dice: Dice, Dice+CE or CE?", "dice", "dice"),
    arms=tuple(
        Arm(name, label, (f"loss={name}",), {"dice": dice}, 4000, 460)
        for name, label, dice in (("dice", "Dice", 0.8877), ("dicece", "Dice+CE", 0.8790), ("ce", "CE", 0.8672))
    ),
    findings=(
        Finding("Dice gives a better test Dice than CE.", "dice", "dice", "ce"),
        Finding("Dice and Dice+CE differ by less than 0.01 in test Dice.", "dice", "dicece", "dice", "similar", 0.01),
        Finding("CE measures the joint space better than Dice.", "mjsw_truth_mm", "ce", "dice", of_study=False),
        Finding("CE is less stable than Dice.", "instability", "dice", "ce", of_study=False),
    ),
    table=3,
)
ACTIVATION = Design(
    *("activation", "Table 4: output activation", "Softmax over four classes, or a sigmoid for each of three?"),
    *("dice", "softmax"),
    arms=(
        Arm("softmax", "Softmax", ("activation=softmax", "loss=dice"), {"dice": 0.8877}, 4000, 460),
        Arm("sigmoid", "Sigmoid", ("activation=sigmoid", "loss=dice"), {"dice": 0.8859}, 4000, 460),
    ),
    findings=(
        Finding("Both differ by less than 0.005 in Dice.", "dice", "sigmoid", "softmax", "similar", 0.005),
        Finding("Sigmoids leave pixels without a label.", "unlabelled", "softmax", "sigmoid"),
    ),
    table=4,
)
FOLDS = Design(
    *("cross_validation", "Cross-validation by person", "How well are hips measured that are each unseen once?"),
    *("dice", "fold0"),
    arms=tuple(Arm(f"fold{n}", f"Fold {n}", (f"fold={n}",)) for n in range(3)),
    seeds=1,
    pooled=True,
)


@dataclass(frozen=True)
class _Made:
    """A run to be made: which way of training, seed and fold."""

    way: str
    seed: int
    fold: int | None = None

    @property
    def name(self):
        fold = "" if self.fold is None else f"-fold{self.fold}"
        digest = zlib.crc32(f"{self.way}{self.seed}{self.fold}".encode())
        loss, activation = self.parts
        return f"{loss}-{activation}-baseline-coarse-demo-seed{self.seed}{fold}-{digest:08x}"

    @property
    def parts(self):
        return ("dice", "sigmoid") if self.way == "sigmoid" else (self.way, "softmax")


def make_runs_dir(folder):
    """Fill a folder; gives it back.

    ``loss``: ``dice`` has seeds 0 to 2, ``dicece`` seeds 0 and 1 (2 is missing), ``ce`` seeds 0 and 1 (2 failed, its
    folder says why). ``activation``: softmax is the same three runs as ``dice``, sigmoid has seeds 0 and 1 (2 failed
    before it had a folder). ``cross_validation``: three folds, seed 0. Hip ``h07`` is not measured by CE.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def written(way, seeds):
        return [(way, seed, _write_run(folder, _Made(way, seed)), "") for seed in range(seeds)]

    dice = written("dice", 3)
    loss = [*dice, *written("dicece", 2), ("dicece", 2, None, ""), *written("ce", 2)]
    loss += [("ce", 2, _write_failed(folder, _Made("ce", 2)), "")]
    killed = ("sigmoid", 2, None, "the job ended with code 137; it was killed, most likely for want of memory")
    activation = [*(("softmax", *rest) for _, *rest in dice), *written("sigmoid", 2), killed]
    folds = [(f"fold{n}", 0, _write_run(folder, _Made("dice", 0, n)), "") for n in range(3)]
    for design, runs in ((LOSS, loss), (ACTIVATION, activation), (FOLDS, folds)):
        write_record(folder, design, runs)
    return folder


def write_record(folder, design, runs, record=None, options=("measure=single",)):
    """The record of a sweep; ``runs`` are (arm, seed, folder's name or None, reason)."""
    keys = ("arm", "seed", "run", "reason")
    said = [dict(zip(keys, run, strict=True)) for run in runs]
    content = {"version": 1, "ablation": design.plain(), "record": record or design.name}
    content |= {"options": list(options), "scale": "demo", "runs": said}
    path = folder / "sweeps" / f"{record or design.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_json(path, content)
    return path


def hip_table(way, seed, fold=None):
    """``test_hips.csv`` of a run; hips and persons differ alike whatever the run."""
    fixed, rng = np.random.default_rng(1), np.random.default_rng([2, sorted(TRUE).index(way), seed, fold or 0])
    person = np.sort(np.r_[np.arange(NUM_PERSONS), fixed.integers(0, NUM_PERSONS, NUM_HIPS - NUM_PERSONS)])
    hard = 0.010 * fixed.standard_normal(NUM_PERSONS)[person] + 0.006 * fixed.standard_normal(NUM_HIPS)
    truth = fixed.gamma(9.0, 0.4, NUM_HIPS)
    label = truth + 0.1 * fixed.standard_normal(NUM_HIPS)
    mean, bias, sd, unlabelled, _ = TRUE[way]
    mean += 0.0008 * rng.standard_normal()
    raw = np.maximum(truth + bias + sd * rng.standard_normal(NUM_HIPS), 0.0)
    columns = {
        "hip_id": [f"h{n:02d}" for n in range(NUM_HIPS)],
        "person": [f"P{p:03d}" for p in person],
        **{"mjsw_pred_mm": raw - bias, "raw_mjsw_mm": raw},
        "mjsw_label_mm": label,
        "mjsw_truth_mm": truth,
        "mjsw_study_mm": raw + 0.4 + 0.2 * rng.standard_normal(NUM_HIPS),
        **{"status": "measured", "reason": ""},
        "quality": rng.uniform(0.5, 1.0, NUM_HIPS),
        "unlabelled": unlabelled * rng.uniform(0.5, 1.5, NUM_HIPS),
        "multiple": unlabelled / 2 * rng.uniform(0.5, 1.5, NUM_HIPS),
    }
    for name, shift in zip(CLASSES, (0.02, 0.0, -0.02), strict=True):
        columns[f"dice_{name}"] = np.clip(mean + shift + hard + 0.003 * rng.standard_normal(NUM_HIPS), 0, 1)
        columns[f"assd_{name}_mm"] = np.abs(0.3 + 5 * (0.95 - mean) + 0.05 * rng.standard_normal(NUM_HIPS))
        columns[f"hd95_{name}_mm"] = 3 * columns[f"assd_{name}_mm"]
    for name, bone in (("head_bearing", "femur"), ("roof_bearing", "acetabulum")):
        columns[f"assd_{name}_mm"] = 0.8 * columns[f"assd_{bone}_mm"]
    names = list(dict.fromkeys(["hip_id", "person", *HIP_COLUMNS, "unlabelled", "multiple"]))
    table = pd.DataFrame(columns).reindex(columns=names)
    if way == "ce":
        table.loc[7, ["mjsw_pred_mm", "mjsw_study_mm", "quality"]] = np.nan
        table.loc[7, ["status", "reason"]] = "unmeasurable", "the joint space is not found"
    return table if fold is None else table[person % 3 == fold].reset_index(drop=True)


def history(way, seed):
    """``history.csv`` of a run: twelve validations."""
    rng = np.random.default_rng([3, sorted(TRUE).index(way), seed])
    step = np.arange(VAL_EVERY, STEPS + 1, VAL_EVERY)
    mean = TRUE[way][0] - 0.5 * np.exp(-step / 40) + TRUE[way][4] * rng.standard_normal(len(step))
    loss = 1.02 - mean
    classes = {f"val/dice/{name}": mean + s for name, s in zip(CLASSES, (0.02, 0.0, -0.02), strict=True)}
    columns = {"step": step, "lr": 1e-3 * (1 - step / STEPS), "train/loss": loss - 0.01} | classes
    return pd.DataFrame(columns | {"val/dice/mean": mean, "val/loss": loss, "seconds": 2.5})


def make_examples(way, seed):
    """``examples.npz`` of a run: six crude hips, three worst and three shared."""
    row, col = np.mgrid[:VIEW, :VIEW]
    found = {"image": [], "probs": [], "label": [], "witness_px": []}
    rng = np.random.default_rng([4, sorted(TRUE).index(way), seed])
    for n in range(6):
        gap = 3.0 + n % 3
        sure = [0.6, 1.0][n >= 3] - (way == "ce") * 0.15
        label = _masks(row, col, gap)
        probs = np.stack([np.clip(sure * np.roll(mask, int(n < 3), 0), 0, 1) for mask in label])
        image = 60 + 120 * (label[0] + label[1]) + 8 * rng.standard_normal((VIEW, VIEW))
        found["image"].append(np.clip(image, 0, 255).astype(np.uint8))
        found["probs"].append(np.rint(255 * probs).astype(np.uint8))
        found["label"].append(np.rint(255 * label).astype(np.uint8))
        found["witness_px"].append([[np.nan] * 2] * 2 if n == 0 else [[26 - gap, 30], [26, 30]])
    return {
        "hip_id": np.array(["h07", "h11", "h23", "h02", "h19", "h31"]),
        "kind": np.array(["worst"] * 3 + ["shared"] * 3),
        "pixel_mm": np.float32(1.6),
        "witness_px": np.array(found.pop("witness_px"), np.float32),
        **{name: np.stack(arrays) for name, arrays in found.items()},
    }


def _masks(row, col, gap):
    """Coverage (3, h, w) of a head on its shaft, a roof above it, and the space between."""
    away = np.hypot(row - 40, col - 30)
    above = (np.abs(np.arctan2(col - 30, 40 - row)) < 0.9) & (row < 40)
    femur = np.clip(14.5 - away, 0, 1)
    femur = np.maximum(femur, ((row > 44) & (col > 16) & (col < 30)).astype(float))
    space = above * np.clip(away - 13.5, 0, 1) * np.clip(14.5 + gap - away, 0, 1)
    return np.stack([femur, above * np.clip(away - 13.5 - gap, 0, 1) * (away < 30), space])


def _config(made):
    loss, activation = made.parts
    return {
        **{"seed": made.seed, "fold": made.fold, "arm": made.way, "scale": {"name": "demo"}},
        "data": {"name": "phantom_views", "subjects": 1400, "seed": 1, "look": "realistic"},
        "dataset_size": {"name": "baseline", "train_hips": 460, "val_hips": 50},
        "budget": {"steps": STEPS, "val_every": VAL_EVERY, "batch_size": BATCH},
        "loss": {"_target_": f"hipjsw.learning.loss.{loss}"},
        "activation": {"_target_": f"hipjsw.learning.activation.{activation.capitalize()}"},
    }


def _start_run(folder, made):
    run = folder / made.name
    (run / "figures").mkdir(parents=True, exist_ok=True)
    (run / "config.yaml").write_text(yaml.safe_dump(_config(made), sort_keys=False), encoding="utf-8")
    about = {"digest": "0" * 16, "group": None, "hipjsw": "0.1.0", "versions": {"torch": "2.8.0"}, "python": "3.11.9"}
    _write_json(run / "run.json", about | {"machine": "x86_64", "cpus": 2, "commit": "a" * 40})
    for name in ("identity.json", "split.json"):
        _write_json(run / name, {"digest": "0" * 16})
    return run


def _write_failed(folder, made):
    run = _start_run(folder, made)
    history(made.way, made.seed).head(1).to_csv(run / "history.csv", index=False)
    _write_json(run / "failed.json", {"reason": REASON})
    return made.name


def _write_run(folder, made):
    run = _start_run(folder, made)
    table = hip_table(made.way, made.seed, made.fold)
    table.to_csv(run / "test_hips.csv", index=False, float_format="%.6f")
    history(made.way, made.seed).to_csv(run / "history.csv", index=False)
    np.savez(run / "examples.npz", **make_examples(made.way, made.seed))
    cost = {"train_s": 30.0, "judge_s": 6.5, "steps": STEPS, "batch_size": BATCH, "device": "cpu"}
    _write_json(run / "cost.json", cost | {"cpus": 2, "threads": 2})
    _write_json(run / "metrics.json", _metrics(table))
    return made.name


def _metrics(table):
    dice = {f"test/dice/{name}": float(table[f"dice_{name}"].mean()) for name in CLASSES}
    error = (table["mjsw_pred_mm"] - table["mjsw_label_mm"]).dropna()
    true = (table["mjsw_pred_mm"] - table["mjsw_truth_mm"]).dropna()
    study = (table["mjsw_study_mm"] - table["mjsw_label_mm"]).abs().dropna()
    return {
        "data/phantom": "phantom of 1400 persons, realistic look",
        **{"train/num_hips": 115, "val/num_hips": 13},
        **{"test/num_hips": len(table), "test/num_persons": int(table["person"].nunique())},
        **dice,
        "test/dice/mean": float(np.mean(list(dice.values()))),
        **{"test/mjsw/mae_mm": float(error.abs().mean()), "test/mjsw_truth/mae_mm": float(true.abs().mean())},
        **{"test/mjsw/num_measured": len(error), "test/mjsw/num_unmeasurable": len(table) - len(error)},
        "test/table5/num_hips": len(error),
        **{f"test/table5/as_printed_{name}": 0.6 * number for name, number in _spread(study).items()},
        **{f"test/table5/study_{name}_mm": number for name, number in _spread(study).items()},
        **{f"test/table5/ours_{name}_mm": number for name, number in _spread(error.abs()).items()},
    }


def _spread(numbers):
    return {"mean": float(numbers.mean()), "sd": float(numbers.std())}


def _write_json(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def made_result():
    """An ``AblationResult`` of ``LOSS`` without files: with a failed and a missing run and undefined numbers."""
    cost = {"steps": STEPS, "batch_size": BATCH, "train_hips": 115, "val_hips": 13, "train_s": 30.0, "judge_s": 6.5}
    arms = (
        ArmRow("dice", 3, cells=_cells(0.9502, 0.17, 0), **cost),
        ArmRow("dicece", 2, missing=1, cells=_cells(0.9481, 0.18, 0), **cost),
        ArmRow("ce", 2, failed=1, reasons=(f"seed 2: {REASON}",), cells=_cells(0.9203, None, 1), **cost),
    )
    differences = (
        DifferenceRow("dice", "dicece", "dice", -0.0021, -0.0034, -0.0008, 0.004, 0.004, 40, 18, (2, 3)),
        DifferenceRow("dice", "ce", "dice", -0.0299, -0.0321, -0.0277, 0.0001, 0.0002, 40, 18, (2, 3)),
        DifferenceRow("mjsw_truth_mm", "ce", "dice", None, None, None, None, None, 0, 0, (2, 3)),
        DifferenceRow("instability", "ce", "dice", 0.0041, None, None, None, None, 0, 0, (2, 3)),
    )
    said = ("Dice 0.950 against 0.920: higher by 0.030.", "Dice 0.948 against 0.950: lower by 0.002.")
    said += ("No width was measured.", "One run says nothing of seeds.")
    judged = zip(LOSS.findings, ("holds", "holds", "not run", "not settled"), said, strict=True)
    verdicts = tuple(Verdict(finding.claim, finding.of_study, verdict, words) for finding, verdict, words in judged)
    about = {"data": "phantom of 1400 persons, realistic look", "device": "cpu", "commit": "a" * 12, "version": "0.1.0"}
    return AblationResult(LOSS, "loss", ("measure=single",), "demo", arms, differences, verdicts, 40, 18, about)


def _cells(dice, truth_mm, unmeasurable):
    return {
        "dice": Cell(dice, dice - 0.004, dice + 0.004, 40),
        "mjsw_label_mm": Cell(0.19, 0.15, 0.23, 40 - unmeasurable, unmeasurable),
        "mjsw_truth_mm": Cell(truth_mm, None, None, 0 if truth_mm is None else 40, unmeasurable),
        "unmeasurable": Cell(unmeasurable / 40, 0.0, 0.1, 40),
        "instability": Cell(0.0007, None, None, 2),
    }

"""From a configuration to the objects of a run."""

from __future__ import annotations

import logging
import os
from typing import Any, cast

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from hipjsw.anatomy.weights import BorderWeight
from hipjsw.cohort.store import Store
from hipjsw.inference.model import Model
from hipjsw.inference.model_folder import read_model
from hipjsw.inference.model_place import ModelError, model_folder
from hipjsw.learning.architecture import Architecture
from hipjsw.learning.data import Budget, HipData
from hipjsw.learning.resunet import seeded
from hipjsw.learning.task import SegmentationTask

__all__ = ["architecture_of", "build_border", "build_data", "build_task", "start_from", "trainer_options"]

log = logging.getLogger("hipjsw")


def build_task(cfg: DictConfig) -> SegmentationTask:
    """The task: net (weights from ``seed`` alone), activation, loss, optimiser, schedule."""
    activation = instantiate(cfg.activation)
    return SegmentationTask(
        net=seeded(lambda: instantiate(cfg.net, out_channels=activation.num_channels), int(cfg.seed)),
        activation=activation,
        loss=instantiate(cfg.loss),
        optimiser=instantiate(cfg.optim.optimizer),
        schedule=None if cfg.optim.schedule is None else instantiate(cfg.optim.schedule),
        channels_last=bool(cfg.trainer.channels_last),
        steps=build_budget(cfg).steps,
        compiled=bool(cfg.trainer.get("compile", False)),
    )


def architecture_of(cfg: DictConfig) -> Architecture:
    """The network and activation of a configuration, by name.

    Raises:
        ArchitectureError: One that has no name.
    """
    net, activation = (cast(dict[str, Any], OmegaConf.to_container(p, resolve=True)) for p in (cfg.net, cfg.activation))
    return Architecture.of_targets(net, activation, instantiate(cfg.activation).num_channels)


def start_from(task: SegmentationTask, cfg: DictConfig) -> Model | None:
    """Give the task's network the weights of the model that ``init`` names, if it names one.

    Returns:
        That model.

    Raises:
        ModelError: No model there, one that cannot be used, of several networks, or of a network of another shape.
    """
    if cfg.init is None:
        return None
    folder = model_folder(cfg.init)
    model = read_model(folder)
    members = model.members
    own = architecture_of(cfg)
    if len(members) != 1 or members[0].architecture != own:
        nets = ", ".join(f"{m.architecture.net} {dict(m.architecture.arguments)}" for m in members)
        raise ModelError(
            f"init={cfg.init} holds {nets}; this run trains one {own.net} {dict(own.arguments)} of activation="
            f"{own.activation}: choose net= and activation= as the model's, or another model"
        )
    task.net.load_state_dict({name: value.float() for name, value in members[0].weights.items()})
    log.info("starting from the weights of the model %s", folder.name)
    was, now = (model.view.pixel_mm, model.about.get("labels")), (float(cfg.view.pixel_mm), str(cfg.labels.name))
    if was != now:
        log.warning("that model saw %g mm pixels and labels=%s; this run has %g and labels=%s", *was, *now)
    return model


def build_data(cfg: DictConfig, store: Store, test_part: str = "test") -> HipData:
    """The data module; dataset sizes are the study's divided by the scale."""
    divisor = int(cfg.scale.divisor)
    if min(divisor, int(cfg.dataset_size.train_hips), int(cfg.dataset_size.val_hips)) < 1:
        raise ValueError("scale.divisor, dataset_size.train_hips and dataset_size.val_hips are at least 1")
    return HipData(
        store,
        num_train=-(-int(cfg.dataset_size.train_hips) // divisor),
        num_val=max(-(-int(cfg.dataset_size.val_hips) // divisor), int(cfg.scale.get("least_val_hips") or 1)),
        budget=build_budget(cfg),
        augmentation=instantiate(cfg.augment),
        seed=int(cfg.seed),
        hard=bool(cfg.target.hard),
        num_workers=int(cfg.get("num_workers", 0)),
        test_part=test_part,
        border=build_border(cfg),
        resident=bool(cfg.trainer.get("resident", False)),
    )


def build_border(cfg: DictConfig) -> BorderWeight | None:
    """The weight map of the border, None where no pixel is raised (a run trained before there was one: none either)."""
    chosen = cfg.get("weight")
    if chosen is None or float(chosen.w0) == 0:
        return None
    return BorderWeight(float(chosen.w0), float(chosen.sigma_px))


def build_budget(cfg: DictConfig) -> Budget:
    """The budget of a run."""
    return Budget(int(cfg.budget.steps), int(cfg.budget.val_every), int(cfg.budget.batch_size))


def trainer_options(cfg: DictConfig) -> dict[str, Any]:
    """What goes to Lightning's Trainer; sets the number of threads where the configuration says one."""
    if cfg.trainer.threads is not None:
        torch.set_num_threads(int(cfg.trainer.threads))
        os.environ["OMP_NUM_THREADS"] = str(int(cfg.trainer.threads))  # or Lightning would have each rank take its own
    return cast(dict[str, Any], dict(cfg.trainer.options))

"""The presets of train.py, and what its --help says of them."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "fast": {"epochs": 5, "lr": 8e-3, "flip": 0.0},
    "general": {
        "epochs": 84,
        "synthetic": 1.0,
        "head": "ray",
        "noise": 0.001,
        "yaw": 180.0,
        "distance": 0.3,
        "body": 1.0,
        "mix": 0.5,
    },
    "plain": {"epochs": 26, "lr": 2e-3, "dropout": 0.1, "flip": 0.0},
    "report": {
        "epochs": 5,
        "batch_size": 32,
        "standardise": False,
        "lr": 0.1,
        "betas": (0.5, 0.999),
        "scheduler": "step",
        "step_size": 200,
        "gamma": 0.3,
        "step_per": "batch",
        "dropout": 0.5,
        "flip": 0.0,
    },
}

DESCRIPTION = """\
Train a 2D-to-3D human pose lifter.

Reads data_train_lift.pkl (and, to watch, data_test_lift.pkl) from the current folder; where there is none,
it makes synthetic people and keeps them there. Writes liftModel (the weights of the epoch with the lowest
validation error), log.csv, checkpoint.npz and, at the end, liftModel.trust.npz (when to trust these weights).
Ctrl-C finishes the batch and saves; --resume goes on.
What an earlier run left there is kept with the ending .old.
"""

EPILOGUE = """\
presets:
  default   the least error on people like those of the training data: standardised data, one-cycle learning
            rate, batch 256, mirrored poses; 10 minutes on two cores for 62,000 poses
  fast      a tenth of the epochs at a higher rate: a minute
  general   for people and skeletons that the data do not have: as many synthetic people, other bodies, limbs
            of other poses, cameras all around, noise, depths on rays; three times the steps
  plain     dropout 0.1, poses as they are, 26 epochs: what the comparison with PyTorch trains
  report    the original course report: batch 32, lr 0.1 that StepLR(200, 0.3) cuts after every 200 batches,
            betas 0.5 0.999, dropout 0.5, 5 epochs, raw data. Its rate is gone within the first epoch.
  The settings that act are printed when training begins; each has a flag that overrides it.

examples:
  python train.py                          the default preset on the data of this folder
  python train.py --epochs 10 --seed 1     shorter, with other initial weights
  python train.py --preset fast            a first result, in a minute
  python train.py --head ray               15 depths: joints that project onto the 2D points exactly
  python train.py --preset report          what the original report did
  python train.py --plot curves.png        watch errors, gradients and layers in a picture
  python train.py --tensorboard events     curves for TensorBoard: tensorboard --logdir events
  python train.py --resume                 go on where Ctrl-C stopped
"""

"""Train a 2D-to-3D human pose lifter: python train.py --help"""

from minilift.cli.train import main

if __name__ == "__main__":
    raise SystemExit(main())

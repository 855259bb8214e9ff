"""Measure a trained lifter on test poses: python eval.py --help"""

from minilift.cli.eval import main

if __name__ == "__main__":
    raise SystemExit(main())

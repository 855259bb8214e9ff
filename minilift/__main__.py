"""`python -m minilift`: the command `minilift`."""

from minilift.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())

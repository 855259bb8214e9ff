"""The command `minilift`, one file a subcommand; `train.py` and `eval.py` are doors to two of them."""

"""Pictures for networks: files of them, made-up ones, and what changes them in training."""

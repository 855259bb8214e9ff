"""Many training runs side by side, and the tables that they make: python -m minilift.experiments --help"""

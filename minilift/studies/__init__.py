"""Many training runs side by side, and the tables that they make: minilift study --help"""

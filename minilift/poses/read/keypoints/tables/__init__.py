"""Readers of text that people and tools write keypoints to: CSV, TXT, TRC, protobuf text."""

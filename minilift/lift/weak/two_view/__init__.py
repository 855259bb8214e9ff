"""Training from people seen by two cameras."""

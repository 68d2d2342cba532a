"""The parts of ./dev: one module per concern, verbs.py names them."""

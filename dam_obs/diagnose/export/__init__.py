"""A run's samples for other tools: each format is a small module that makes its file in parts."""

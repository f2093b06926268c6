"""Calls in processes of their own: what crosses back is data that fits the return annotation, or nothing."""

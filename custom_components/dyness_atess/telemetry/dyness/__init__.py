"""The points of Dyness devices, and what they mean."""

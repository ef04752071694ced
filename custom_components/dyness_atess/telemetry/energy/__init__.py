"""Energies, capacity and health of a battery, whoever made it."""

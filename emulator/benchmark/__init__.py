"""How fresh the data are and what they cost, in a real Home Assistant whose time is simulated: `scripts/benchmark`."""

"""How well energies add up over a month of samples, gaps and faults: `scripts/accuracy`."""

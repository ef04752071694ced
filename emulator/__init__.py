"""Emulated clouds on loopback, with devices that behave. For tests and the demo; the integration never imports it."""

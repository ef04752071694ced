"""Tests, beside each other by layer."""

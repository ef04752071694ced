"""The Dyness cloud and its devices."""

"""The ATESS cloud and its devices."""

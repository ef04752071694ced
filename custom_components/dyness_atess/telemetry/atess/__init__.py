"""The records of ATESS converters, and what they mean."""

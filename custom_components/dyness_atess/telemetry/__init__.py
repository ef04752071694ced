"""What the values of the clouds mean: vocabulary, readings, family tables and their decoder."""

"""How messages leave the house, one file for each channel."""

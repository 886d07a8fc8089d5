"""Historical names: `utils`."""

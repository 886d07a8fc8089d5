"""Historical names: `error`."""

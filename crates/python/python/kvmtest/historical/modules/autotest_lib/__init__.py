"""Historical names: what subtests took from Autotest itself."""

"""Historical names: what subtests took from the client of Autotest."""

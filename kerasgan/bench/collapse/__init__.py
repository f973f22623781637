"""The detector's exam."""

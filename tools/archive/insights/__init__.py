"""Tools that summarise, rank, chart and show."""

"""The only room that talks HTTP to others."""

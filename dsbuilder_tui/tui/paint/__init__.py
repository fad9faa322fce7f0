"""View state in, lines of text with roles out. Pure: no widget, no clock, no terminal."""

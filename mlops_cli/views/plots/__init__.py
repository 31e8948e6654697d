"""Records and arrays → matplotlib figures. No input, no output; a figure becomes bytes in memory alone.

One file per kind of plot; `style` is what they share. No figure enters pyplot's registry, and nobody's settings or
backend are touched.
"""

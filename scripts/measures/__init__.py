"""What `scripts.style` measures: one module each for names, density and imports."""

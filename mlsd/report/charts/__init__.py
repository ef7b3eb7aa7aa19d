"""Charts for people who would rather look than read, as SVG that serves light and dark alike."""

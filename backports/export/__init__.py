"""Download formats; a file per format."""

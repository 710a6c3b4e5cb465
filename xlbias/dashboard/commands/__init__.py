"""What keys and the palette do: the registry of keys, why one cannot be used, and finding commands by name."""

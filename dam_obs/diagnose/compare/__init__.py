"""Two runs side by side: what got slower, which system, which resource, which stack."""

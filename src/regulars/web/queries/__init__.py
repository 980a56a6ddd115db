"""What the screens that join domains ask; each file joins what its screen shows."""

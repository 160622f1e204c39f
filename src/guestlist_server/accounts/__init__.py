"""The server's own user model, and allauth tied to invitations."""

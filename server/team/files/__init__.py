"""Exports of a team: each person's in a part of their own of a shared folder or of a store that
speaks S3, loaded by links that work for a short time, and removed after some days."""

"""Calculations over many items and over brands: pure functions, which know no API and no job.

An unknown figure is None and never counted as 0. Earned media value of items is in cents, of brands
in US dollars; nothing here converts the one into the other.
"""

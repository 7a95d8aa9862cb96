"""Homework: answers read, marked with the likely mistake, and exercises with a key."""

"""The cases, one module for each part of the table of requirements."""

"""The rules of the overview: each yields what is wrong in a world, and nothing while all is well."""

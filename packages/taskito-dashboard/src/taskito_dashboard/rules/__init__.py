"""The rules of the overview: each yields what is wrong in a world, nothing while all is well."""

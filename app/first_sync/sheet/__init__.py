"""Give the plan out as a sheet, and take the answers that were made in it."""
